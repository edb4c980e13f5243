'use strict';
// Clients of npm's ws, over HTTP/1.1 or over HTTP/2 (`http2`).
const fs = require('fs');
const WebSocket = require('ws');
const { obey, options, say } = require('./lines');
const { adopt, commands } = require('./web_socket');
const extended_connect = require('./websocket_http2');

const ca = options.ca && fs.readFileSync(options.ca);

function refused(id, status, headers, response) {
  let body = '';
  response.on('data', (data) => (body += data));
  response.on('end', () => say('refused', { id, status, headers, body }));
}

function overHttp1({ id, url, protocols = [], deflate = false }) {
  const socket = new WebSocket(url, protocols, { ca, perMessageDeflate: deflate, maxPayload: 32 << 20 });
  adopt(socket, id);
  socket.on('open', () => say('open', { id, protocol: socket.protocol, extensions: socket.extensions }));
  socket.on('unexpected-response', (_, response) => refused(id, response.statusCode, response.headers, response));
}

const overHttp2 = ({ id, url, protocols }) => extended_connect.open({ url, protocols, ca }, {
  opened: (socket, fields) => {
    adopt(socket, id);
    say('open', { id, protocol: fields['sec-websocket-protocol'] || '', extensions: '' });
  },
  refused: (fields, stream) => refused(id, fields[':status'], fields, stream),
  failed: (error) => say('error', { id, message: error.message }),
});

obey({ ...commands, open: options.http2 ? overHttp2 : overHttp1 });
