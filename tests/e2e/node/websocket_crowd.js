'use strict';
// Many WebSockets open at once; `round`: each sends a message of its own and has it echoed.
const fs = require('fs');
const WebSocket = require('ws');
const { obey, options, say } = require('./lines');

const ca = options.ca && fs.readFileSync(options.ca);
const sockets = [];
let echoed = 0;

function open() {
  for (let index = 0; index < options.count; ++index) {
    const socket = new WebSocket(options.url, { perMessageDeflate: false, ca });
    socket.on('open', () => sockets.push(socket) === options.count && say('all_open'));
    socket.on('message', (data) => {
      if (data.toString() !== socket.sent) say('error', { message: `${data} for ${socket.sent}` });
      if (++echoed === options.count) say('all_echoed');
    });
    socket.on('error', (error) => say('error', { message: error.message }));
  }
}

function round({ number }) {
  echoed = 0;
  sockets.forEach((socket, index) => socket.send((socket.sent = `${number}: ${index}`)));
}

obey({ round });
open();
