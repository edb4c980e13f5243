'use strict';
// A client of Node's http or http2 (`http2`) that asks what it is told to, and tells all that it is answered.
const crypto = require('crypto');
const fs = require('fs');
const http = require('http');
const http2 = require('http2');
const https = require('https');
const { digest, obey, options, pattern, pour, say } = require('./lines');

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
  response.on('end', () => {
    const text = Buffer.concat(start).toString().slice(0, 4000);
    say('end', { id, size, sha256: hash.digest('hex'), text, trailers: trailers() });
  });
}

function give(stream, { text, size, hold }) {
  if (size !== undefined) pour(pattern(size), stream);
  else if (!hold) stream.end(text);
  else if (text !== undefined) stream.write(text);
}

function overHttp1() {
  const { Agent, request, get } = options.url.startsWith('https') ? https : http;
  const agent = new Agent({ keepAlive: true });
  const ask = (order) => {
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
  const fetch = (path, seen, failed) => get(options.url + path, { ca, agent }, seen).on('error', failed);
  return { ask, get: fetch, cancel: (sent) => sent.destroy() };
}

function overHttp2() {
  const session = http2.connect(options.url, { ca });
  session.on('connect', () => session.setLocalWindowSize(1 << 20));
  session.on('error', (error) => say('session_error', { message: error.message }));
  session.on('goaway', (code) => say('goaway', { code }));
  session.on('close', () => say('session_closed', {}));
  session.on('stream', () => say('push', {}));
  const ask = (order) => {
    const { id, method = 'GET', path, headers = {}, live, trailers, paused } = order;
    const endStream = order.text === undefined && order.size === undefined && !order.hold && !trailers;
    const stream = session.request({ ':method': method, ':path': path, ...headers }, { endStream, waitForTrailers: Boolean(trailers) });
    let received = {};
    stream.on('headers', (fields) => say('interim', { id, status: fields[':status'], headers: fields }));
    stream.on('response', (fields) => say('head', { id, status: fields[':status'], headers: fields }));
    stream.on('trailers', (fields) => (received = fields));
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    stream.on('error', (error) => say('error', { id, message: error.message, code: error.code }));
    stream.on('close', () => say('stream_closed', { id, code: stream.rstCode }));
    follow(id, stream, live, () => ({ ...received }));
    if (paused) stream.pause();
    give(stream, order);
    return stream;
  };
  const get = (path, seen, failed) => seen(session.request({ ':path': path }).on('error', failed));
  return { ask, get, cancel: (stream) => stream.close(http2.constants.NGHTTP2_CANCEL) };
}

const line = options.http2 ? overHttp2() : overHttp1();

function fetched(size) {
  return new Promise((resolve, reject) => {
    const parts = [];
    const check = () => {
      if (digest(Buffer.concat(parts)) === digest(pattern(size))) resolve();
      else reject(new Error(`wrong content for ${size}`));
    };
    const read = (stream) => stream.on('data', (part) => parts.push(part)).on('end', check).on('error', reject);
    line.get(`/bytes?size=${size}`, read, reject);
  });
}

// `rounds` times `parallel` requests at once, each for a size of its own; every answer is looked at.
async function burst({ rounds, parallel }) {
  const ends = [];
  for (let round = 0; round < rounds; ++round)
    ends.push(...(await Promise.allSettled(Array.from({ length: parallel }, (_, index) => fetched(round + index * 997)))));
  const wrong = ends.filter((end) => end.reason).map((end) => end.reason.message);
  say('burst', { right: ends.length - wrong.length, wrong: wrong.slice(0, 5) });
}

obey({
  ask: (order) => requests.set(order.id, line.ask(order)),
  write: ({ id, text }) => requests.get(id).write(text),
  end: ({ id, text }) => requests.get(id).end(text),
  resume: ({ id }) => requests.get(id).resume(),
  cancel: ({ id }) => line.cancel(requests.get(id)),
  burst,
});
