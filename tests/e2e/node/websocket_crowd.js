'use strict';
// Many WebSockets open at once; `round`: each sends a message of its own and has it echoed.
const fs = require('fs');
const WebSocket = require('ws');
const { obey, options, say } = require('./lines');
const extended_connect = require('./websocket_http2');

const { count, url } = options;
const ca = options.ca && fs.readFileSync(options.ca);
const sockets = [];
let echoed = 0;

const failed = (error) => say('error', { message: error.message });

function opened(socket) {
  socket.on('message', (data) => {
    if (data.toString() !== socket.sent) failed(new Error(`${data} for ${socket.sent}`));
    if (++echoed === count) say('all_echoed');
  });
  if (sockets.push(socket) === count) say('all_open');
}

function open() {
  if (options.http2) return extended_connect.open({ url, ca, share: 50 }, { opened, failed, refused: () => failed(new Error('refused')) });
  const socket = new WebSocket(url, { perMessageDeflate: false, ca }).on('error', failed);
  socket.on('open', () => opened(socket));
}

function round({ number }) {
  echoed = 0;
  sockets.forEach((socket, index) => socket.send((socket.sent = `${number}: ${index}`)));
}

obey({ round });
for (let index = 0; index < count; ++index) open();
