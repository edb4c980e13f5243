'use strict';
// Clients of npm's ws, over HTTP/1.1 or, by extended CONNECT (RFC 8441), over HTTP/2.
const fs = require('fs');
const http2 = require('http2');
const WebSocket = require('ws');
const { obey, options, say } = require('./lines');
const { adopt, commands } = require('./web_socket');

const ca = options.ca && fs.readFileSync(options.ca);

function overHttp1({ id, url, protocols = [], deflate = false, headers = {} }) {
  const socket = new WebSocket(url, protocols, { ca, perMessageDeflate: deflate, headers, maxPayload: 32 << 20 });
  adopt(socket, id);
  socket.on('open', () => say('open', { id, protocol: socket.protocol, extensions: socket.extensions }));
  socket.on('unexpected-response', (_, response) => {
    let body = '';
    response.on('data', (data) => (body += data));
    response.on('end', () => say('refused', { id, status: response.statusCode, headers: response.headers, body }));
  });
}

const sessions = new Map();

function session(origin) {
  if (!sessions.has(origin)) {
    const peer = http2.connect(origin, { ca }).on('error', () => {});
    sessions.set(origin, new Promise((resolve) => peer.once('remoteSettings', () => resolve(peer))));
  }
  return sessions.get(origin);
}

async function overHttp2({ id, url, protocols = [], headers = {} }) {
  const { origin, pathname } = new URL(url.replace(/^ws/, 'http'));
  const peer = await session(origin);
  if (!peer.remoteSettings.enableConnectProtocol) return say('error', { id, message: 'no extended CONNECT' });
  const stream = peer.request({
    ':method': 'CONNECT', ':protocol': 'websocket', ':path': pathname, 'sec-websocket-version': '13',
    ...(protocols.length && { 'sec-websocket-protocol': protocols.join(', ') }), ...headers,
  });
  stream.on('error', (error) => say('error', { id, message: error.message }));
  stream.on('response', (fields) => (fields[':status'] === 200 ? opened : refused)(id, stream, fields));
}

// ws's own receiver and sender, over a stream that it did not open itself.
function opened(id, stream, fields) {
  const socket = new WebSocket(null, undefined, {});
  socket._isServer = false;
  socket.setSocket(stream, Buffer.alloc(0), { allowSynchronousEvents: true, maxPayload: 32 << 20, skipUTF8Validation: false });
  adopt(socket, id);
  say('open', { id, protocol: fields['sec-websocket-protocol'] || '', extensions: '' });
}

function refused(id, stream, fields) {
  let body = '';
  stream.on('data', (data) => (body += data));
  stream.on('end', () => say('refused', { id, status: fields[':status'], headers: fields, body }));
}

obey({ ...commands, open: options.http2 ? overHttp2 : overHttp1 });
