'use strict';
// A server of npm's ws, over HTTP/1.1 or over HTTP/2 (`http2`): /echo echoes, /chat is the test's to speak on, /refuse/STATUS
// refuses the handshake.
const http = require('http');
const http2 = require('http2');
const https = require('https');
const { WebSocketServer } = require('ws');
const { identity, listen, obey, options, say } = require('./lines');
const extended_connect = require('./websocket_http2');
const { adopt, commands } = require('./web_socket');

const sockets = new WebSocketServer({
  noServer: true,
  maxPayload: 32 << 20,
  perMessageDeflate: options.deflate || false,
  handleProtocols: (offered) => (offered.has('chat.v2') ? 'chat.v2' : false),
});

const refusal = (status) => `no entry: ${status}`;

let count = 0;
function accepted(socket, kind, url, headers) {
  if (kind === 'echo') {
    socket.on('message', (data, binary) => socket.send(data, { binary }));
    return socket.on('error', () => {});
  }
  const id = ++count;
  say('open', { id, url, headers, extensions: socket.extensions });
  adopt(socket, id);
}

function overHttp1(request, socket, head) {
  const [, kind, detail] = request.url.split('/');
  if (kind !== 'refuse') return sockets.handleUpgrade(request, socket, head, (made) => accepted(made, kind, request.url, request.headers));
  const body = refusal(detail);
  socket.end(`HTTP/1.1 ${detail} ${http.STATUS_CODES[detail]}\r\nContent-Type: text/plain\r\nX-Why: test\r\n` +
             `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
}

function overHttp2(stream, headers) {
  const url = headers[':path'];
  const [, kind, detail] = url.split('/');
  stream.on('error', () => {});
  if (kind === 'refuse' || headers[':protocol'] !== 'websocket') {
    stream.respond({ ':status': Number(detail) || 400, 'x-why': 'test' });
    return stream.end(refusal(detail));
  }
  const chosen = /chat\.v2/.test(headers['sec-websocket-protocol']) && { 'sec-websocket-protocol': 'chat.v2' };
  stream.respond({ ':status': 200, ...chosen });
  accepted(extended_connect.adopt(stream, true), kind, url, headers);
}

function start() {
  const settings = { enableConnectProtocol: true };
  if (!options.http2) return (options.key ? https.createServer(identity()) : http.createServer()).on('upgrade', overHttp1);
  return (options.key ? http2.createSecureServer({ ...identity(), settings }) : http2.createServer({ settings })).on('stream', overHttp2);
}

obey(commands);
listen(start());
