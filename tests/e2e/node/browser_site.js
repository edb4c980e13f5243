'use strict';
// A site that lets a browser judge what is between them: many images, server-sent events and a WebSocket in lock-step, and a
// page that sends home what it saw. The page is not loaded before that report is in, so a picture of it shows the end.
const fs = require('fs');
const http = require('http');
const path = require('path');
const { WebSocketServer } = require('ws');
const { listen, obey, say } = require('./lines');

const page = fs.readFileSync(path.join(__dirname, 'browser_page.html'));
const waiting = [];
let events;

const square = (number) => '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40">' +
  `<rect width="40" height="40" fill="hsl(${number * 7},70%,60%)"/></svg>`;

function answer(response, type, content) {
  response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' });
  response.end(content);
}

async function read(request) {
  let text = '';
  for await (const part of request) text += part;
  return text;
}

const pages = {
  '/': (_, response) => answer(response, 'text/html', page),
  '/image': (request, response) => answer(response, 'image/svg+xml', square(Number(request.url.split('?')[1]))),
  '/last': (_, response) => waiting.push(() => answer(response, 'image/svg+xml', square(0))),
  '/events': (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    events = response;
    events.write('data: 1\n\n');
  },
  '/got': async (request, response) => {
    const number = Number(await read(request));
    answer(response, 'text/plain', 'next');
    events.write(`data: ${number + 1}\n\n`);
  },
  '/report': async (request, response) => {
    say('report', JSON.parse(await read(request)));
    answer(response, 'text/plain', 'thanks');
    waiting.forEach((release) => release());
  },
};

const server = http.createServer((request, response) => {
  const handler = pages[request.url.split('?')[0]];
  if (handler) handler(request, response);
  else response.writeHead(404).end();
});
new WebSocketServer({ server, path: '/socket' }).on('connection', (socket) => {
  socket.on('message', (data, binary) => socket.send(data, { binary }));
});

obey({});
listen(server);
