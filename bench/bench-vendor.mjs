// A vendor for benchmarks: the same short answer to everyone, or the same stream, each chunk written by itself.
import { createServer } from 'node:http';

const chunksPerStream = 200;
const pauseMs = 5;
const model = 'bench';
const chunk = (delta, finishReason = null) =>
  `data: ${JSON.stringify({ id: 'chatcmpl-bench', object: 'chat.completion.chunk', created: 1, model, system_fingerprint: 'fp_0', choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }], usage: null })}\n\n`;
const content = chunk({ content: ' words' });
const tail = `${chunk({}, 'stop')}data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1,"model":"${model}","choices":[],"usage":{"prompt_tokens":10,"completion_tokens":200,"total_tokens":210}}\n\ndata: [DONE]\n\n`;
const completion = JSON.stringify({
  id: 'chatcmpl-bench',
  object: 'chat.completion',
  created: 1,
  model,
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: 'words '.repeat(100), refusal: null },
      logprobs: null,
      finish_reason: 'stop',
    },
  ],
  usage: { prompt_tokens: 10, completion_tokens: 100, total_tokens: 110 },
});

const server = createServer((incoming, outgoing) => {
  let body = '';
  incoming.setEncoding('utf8').on('data', (piece) => {
    body += piece;
  });
  incoming.on('end', () => {
    if (!body.includes('"stream":true')) {
      outgoing.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(completion) });
      outgoing.end(completion);
      return;
    }
    outgoing.writeHead(200, { 'content-type': 'text/event-stream' });
    outgoing.write(chunk({ role: 'assistant', content: '' }));
    let sent = 0;
    const timer = setInterval(() => {
      if (outgoing.destroyed) return clearInterval(timer);
      if (++sent <= chunksPerStream) return outgoing.write(content);
      clearInterval(timer);
      outgoing.end(tail);
    }, pauseMs);
  });
});
server.listen(0, '127.0.0.1', () => {
  console.log(`ready ${JSON.stringify({ gateway: `http://127.0.0.1:${server.address().port}` })}`);
});
