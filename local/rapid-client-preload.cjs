// Loaded before AWS's runtime interface client. It answers the client's `require('./rapid-client.node')`, a native
// addon that needs a C++ tool chain to build, with the same three calls over node:http.
const Module = require('node:module');
const http = require('node:http');

// biome-ignore lint/style/noProcessEnv: this file is the entry of the child process
const [hostname, port] = (process.env.AWS_LAMBDA_RUNTIME_API ?? '').split(':');
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

// The addon's `done` and `error` block until they are answered; here `next` waits for them instead.
let pendingPost = Promise.resolve();

function call(method, path, body, headers = {}) {
  return new Promise((resolve, reject) => {
    const bodyHeaders =
      body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const request = http.request(
      { hostname, port, method, agent, path: `/2018-06-01/runtime${path}`, headers: { ...bodyHeaders, ...headers } },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => resolve({ bodyJson: text, headers: response.headers }));
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

const rapidClient = {
  next: () => pendingPost.then(() => call('GET', '/invocation/next')),
  done: (id, body) => {
    pendingPost = call('POST', `/invocation/${id}/response`, body);
  },
  error: (id, body) => {
    pendingPost = call('POST', `/invocation/${id}/error`, body);
  },
};

const load = Module._load;
Module._load = function loadWithRapidClient(request, ...rest) {
  return request.endsWith('rapid-client.node') ? rapidClient : load.call(this, request, ...rest);
};
