'use strict';
// A client of Node's http or http2 (`http2`) that asks what it is told to, and tells all that it is answered.
const crypto = require('crypto');
const fs = require('fs');
const http = require('http');
const http2 = require('http2');
const https = require('https');
const { digest, obey, options, pattern, say } = require('./lines');

const ca = options.ca && fs.readFileSync(options.ca);
const requests = new Map();

// Tells of a response's content: all at its end, and as it comes where that is asked for.
function follow(id, response, live, trailers) {
  const hash = crypto.createHash('sha256');
  const start = [];
  let size = 0;
  response.on('data', (data) => {
    hash.update(data);
    if (size < 4000) start.push(data);
    size += data.length;
    if (live) say('data', { id, text: data.toString() });
  });
  response.on('end', () => say('end', { id, size, sha256: hash.digest('hex'), text: Buffer.concat(start).toString().slice(0, 4000), trailers: trailers() }));
}

function give(stream, { text, size, hold }) {
  const data = size !== undefined ? pattern(size) : text;
  if (hold) return data !== undefined && stream.write(data);
  stream.end(data);
}

function overHttp1() {
  const { Agent, request } = options.url.startsWith('https') ? https : http;
  const agent = new Agent({ keepAlive: true });
  return (order) => {
    const { id, method = 'GET', path, headers = {}, live, trailers } = order;
    const sent = request(options.url + path, { method, headers, ca, agent });
    sent.on('information', ({ statusCode, headers: fields }) => say('interim', { id, status: statusCode, headers: fields }));
    sent.on('response', (response) => {
      say('head', { id, status: response.statusCode, headers: response.headers });
      response.on('error', (error) => say('error', { id, message: error.message }));
      follow(id, response, live, () => response.trailers);
    });
    sent.on('error', (error) => say('error', { id, message: error.message, code: error.code }));
    if (trailers) sent.addTrailers(trailers);
    give(sent, order);
    return sent;
  };
}

function overHttp2() {
  const session = http2.connect(options.url, { ca });
  session.on('error', (error) => say('session_error', { message: error.message }));
  session.on('goaway', (code) => say('goaway', { code }));
  session.on('close', () => say('session_closed', {}));
  session.on('stream', () => say('push', {}));
  return (order) => {
    const { id, method = 'GET', path, headers = {}, live, trailers } = order;
    const stream = session.request({ ':method': method, ':path': path, ...headers }, { endStream: false, waitForTrailers: Boolean(trailers) });
    let received = {};
    stream.on('headers', (fields) => say('interim', { id, status: fields[':status'], headers: fields }));
    stream.on('response', (fields) => say('head', { id, status: fields[':status'], headers: fields }));
    stream.on('trailers', (fields) => (received = fields));
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    stream.on('error', (error) => say('error', { id, message: error.message, code: error.code }));
    stream.on('close', () => say('stream_closed', { id, code: stream.rstCode }));
    follow(id, stream, live, () => ({ ...received }));
    give(stream, order);
    return stream;
  };
}

const ask = options.http2 ? overHttp2() : overHttp1();

// `rounds` times `parallel` requests at once, each for a size of its own; every answer is looked at.
async function burst({ rounds, parallel }) {
  let right = 0;
  const wrong = [];
  const one = (size) => new Promise((resolve) => {
    const parts = [];
    const done = (error) => {
      if (!error && digest(Buffer.concat(parts)) === digest(pattern(size))) ++right;
      else wrong.push(`${size}: ${error}`);
      resolve();
    };
    const read = (stream) => stream.on('data', (part) => parts.push(part)).on('end', () => done()).on('error', done);
    const stream = bare(`/bytes?size=${size}`);
    if (options.http2) read(stream);
    else stream.on('response', read).on('error', done);
  });
  for (let round = 0; round < rounds; ++round)
    await Promise.all(Array.from({ length: parallel }, (_, index) => one(round + index * 997)));
  say('burst', { right, wrong: wrong.slice(0, 5) });
}

let bare;
if (options.http2) {
  const session = http2.connect(options.url, { ca }).on('error', () => {});
  bare = (path) => session.request({ ':path': path });
} else {
  const agent = new (options.url.startsWith('https') ? https : http).Agent({ keepAlive: true });
  bare = (path) => (options.url.startsWith('https') ? https : http).get(options.url + path, { ca, agent });
}

obey({
  ask: (order) => requests.set(order.id, ask(order)),
  write: ({ id, text }) => requests.get(id).write(text),
  end: ({ id, text }) => requests.get(id).end(text),
  cancel: ({ id }) => (options.http2 ? requests.get(id).close(http2.constants.NGHTTP2_CANCEL) : requests.get(id).destroy()),
  burst,
});
