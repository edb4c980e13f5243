'use strict';
// What a test can do with a WebSocket of either side, and what it is told of it.
const { digest, pattern, say } = require('./lines');

const sockets = new Map();

function adopt(socket, id) {
  sockets.set(id, socket);
  socket.on('message', (data, binary) => {
    const text = !binary && data.length < 1000 ? data.toString() : undefined;
    say('message', { id, binary, size: data.length, sha256: digest(data), text });
  });
  socket.on('ping', (data) => say('ping', { id, text: data.toString() }));
  socket.on('pong', (data) => say('pong', { id, text: data.toString() }));
  socket.on('close', (code, reason) => say('close', { id, code, reason: reason.toString() }));
  socket.on('error', (error) => say('error', { id, message: error.message }));
}

// `size`: that much of the pattern, in so many fragments.
function send({ id, text, size, binary = size !== undefined, fragments = 1 }) {
  // 89 letters: valid UTF-8, and no shift goes unseen.
  const data = text !== undefined ? Buffer.from(text) : binary ? pattern(size) : pattern(size).map((byte) => 33 + byte % 89);
  const step = Math.ceil(data.length / fragments);
  for (let sent = 0, index = 1; index <= fragments; ++index, sent += step)
    sockets.get(id).send(data.subarray(sent, index === fragments ? data.length : sent + step), { binary, fin: index === fragments });
}

const commands = {
  send,
  ping: ({ id, text }) => sockets.get(id).ping(text),
  close: ({ id, code, reason }) => sockets.get(id).close(code, reason),
  terminate: ({ id }) => sockets.get(id).terminate(),
  half_close: ({ id }) => sockets.get(id)._socket.end(),
  wire: ({ id }) => say('wire', { id, read: sockets.get(id)._socket.bytesRead }),
  // Pings that go on and on, so that the tunnel is never silent.
  chatter: ({ id, every }) => {
    const timer = setInterval(() => sockets.get(id).ping('chatter'), every);
    sockets.get(id).on('close', () => clearInterval(timer));
  },
};

module.exports = { adopt, commands };
