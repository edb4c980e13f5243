'use strict';
// WebSockets by extended CONNECT (RFC 8441): ws's own sender and receiver, over a stream that ws did not open itself.
const http2 = require('http2');
const WebSocket = require('ws');

const sessions = new Map();

// A connection to where `url` leads, for `share` WebSockets in turn.
function session(url, ca, share) {
  const { origin } = new URL(url.replace(/^ws/, 'http'));
  const known = sessions.get(origin);
  if (known && known.left-- > 0) return known.peer;
  const connection = http2.connect(origin, { ca }).on('error', () => {});
  const peer = new Promise((resolve) => connection.once('remoteSettings', () => resolve(connection)));
  sessions.set(origin, { peer, left: share - 1 });
  return peer;
}

function adopt(stream, is_server) {
  const socket = new WebSocket(null, undefined, { autoPong: true });
  socket._isServer = is_server;
  socket.setSocket(stream, Buffer.alloc(0), { allowSynchronousEvents: true, maxPayload: 32 << 20, skipUTF8Validation: false });
  return socket;
}

// Calls `opened` with the WebSocket and the response's fields, `refused` with the fields and the stream, or `failed`.
async function open({ url, protocols = [], headers = {}, ca, share = Infinity }, { opened, refused, failed }) {
  const peer = await session(url, ca, share);
  if (!peer.remoteSettings.enableConnectProtocol) return failed(new Error('no extended CONNECT'));
  const stream = peer.request({
    ':method': 'CONNECT', ':protocol': 'websocket', ':path': new URL(url).pathname, 'sec-websocket-version': '13',
    ...(protocols.length && { 'sec-websocket-protocol': protocols.join(', ') }), ...headers,
  });
  stream.on('error', failed);
  stream.on('response', (fields) => {
    if (fields[':status'] !== 200) return refused(fields, stream);
    opened(adopt(stream, false), fields);
  });
}

module.exports = { open, adopt };
