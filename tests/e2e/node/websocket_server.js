'use strict';
// A server of npm's ws: /echo echoes, /chat is the test's to speak on, /refuse/STATUS refuses the handshake.
const http = require('http');
const https = require('https');
const { WebSocketServer } = require('ws');
const { identity, listen, obey, options, say } = require('./lines');
const { adopt, commands } = require('./web_socket');

const server = options.key ? https.createServer(identity()) : http.createServer();
const sockets = new WebSocketServer({
  noServer: true,
  maxPayload: 32 << 20,
  perMessageDeflate: options.deflate || false,
  handleProtocols: (offered) => (offered.has('chat.v2') ? 'chat.v2' : false),
});

function refuse(socket, status) {
  const body = `no entry: ${status}`;
  socket.end(`HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\nContent-Type: text/plain\r\nX-Why: test\r\n` +
             `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
}

let count = 0;
server.on('upgrade', (request, socket, head) => {
  const [, kind, detail] = request.url.split('/');
  if (kind === 'refuse') return refuse(socket, Number(detail));
  sockets.handleUpgrade(request, socket, head, (accepted) => {
    if (kind === 'echo') {
      accepted.on('message', (data, binary) => accepted.send(data, { binary }));
      return accepted.on('error', () => {});
    }
    const id = ++count;
    say('open', { id, url: request.url, headers: request.headers, extensions: accepted.extensions, protocol: accepted.protocol });
    adopt(accepted, id);
  });
});

obey(commands);
listen(server);
