// The smallest forwarder that node:http can make: what it costs, no gateway on Node can avoid.
import { Agent, createServer, request } from 'node:http';

const [vendorUrl] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true });

const server = createServer((incoming, outgoing) => {
  const forwarded = request(vendorUrl, { method: incoming.method, headers: incoming.headers, agent }, (answer) => {
    outgoing.writeHead(answer.statusCode, answer.headers);
    answer.pipe(outgoing);
  });
  incoming.pipe(forwarded);
});
server.listen(0, '127.0.0.1', () => {
  console.log(`ready ${JSON.stringify({ gateway: `http://127.0.0.1:${server.address().port}` })}`);
});
