'use strict';
// One backend for every version of HTTP: `http2`, with prior knowledge or, where there is a `key`, by ALPN.
const http = require('http');
const http2 = require('http2');
const https = require('https');
const { digest, identity, listen, obey, options, pattern, pour, say } = require('./lines');

const held = new Map();
let refusing = false;

async function content(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts);
}

function answer(response, status, fields, body) {
  response.writeHead(status, fields);
  response.end(body);
}

const handlers = {
  echo: (request, response) => request.pipe(response),

  async seen(request, response) {
    const data = await content(request);
    const { headers, method, url, httpVersion, trailers } = request;
    const seen = { method, url, version: httpVersion, headers, trailers, size: data.length, sha256: digest(data) };
    answer(response, 200, { 'content-type': 'application/json' }, JSON.stringify(seen));
  },

  bytes: (_, response, query) => {
    const size = Number(query.get('size'));
    response.writeHead(200, { 'content-length': size, 'content-type': 'application/octet-stream' });
    pour(pattern(size), response);
  },

  status: (_, response, query) => answer(response, Number(query.get('code')), { etag: '"1"', 'x-kept': 'yes' }),

  cookies: (_, response) => answer(response, 200, { 'set-cookie': ['a=1; Path=/', 'b=2; HttpOnly'] }, 'baked'),

  hints: (_, response) => {
    response.writeEarlyHints({ link: '</style.css>; rel=preload; as=style' });
    answer(response, 200, {}, 'hinted');
  },

  trailers: (_, response) => {
    response.writeHead(200, { trailer: 'x-checksum' });
    response.write('with ');
    response.addTrailers({ 'x-checksum': 'cafe' });
    response.end('trailers');
  },

  name: (_, response) => answer(response, 200, {}, options.title),

  // The test speaks.
  held: (request, response) => {
    const id = held.size + 1;
    held.set(id, response);
    response.on('close', () => say('closed', { id }));
    request.resume();
    say('request', { id, url: request.url, version: request.httpVersion });
  },

  async refuse(request, response) {
    say('refuse', {});
    if (refusing) request.stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
    else answer(response, 200, {}, `taken ${digest(await content(request))} ${request.trailers['x-sum']}`);
  },
};

function handle(request, response) {
  const url = new URL(request.url, 'http://backend');
  const handler = handlers[url.pathname.split('/')[1]];
  response.on('error', () => {});
  request.on('error', () => {});
  if (handler) handler(request, response, url.searchParams);
  else answer(response, 404, {}, 'no such thing');
}

const server = options.http2
  ? options.key ? http2.createSecureServer(identity(), handle) : http2.createServer(handle)
  : options.key ? https.createServer(identity(), handle) : http.createServer(handle);

const sessions = new Set();
server.on('session', (session) => {
  sessions.add(session.on('error', () => {}).on('close', () => sessions.delete(session)));
  say('session', {});
});

obey({
  head: ({ id, status = 200, fields = {} }) => {
    held.get(id).writeHead(status, fields);
    held.get(id).flushHeaders();
  },
  write: ({ id, text }) => held.get(id).write(text),
  finish: ({ id, text }) => held.get(id).end(text),
  reset: ({ id }) => held.get(id).stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR),
  refuse: ({ on }) => (refusing = on),
  goaway: () => sessions.forEach((session) => session.close()),
});
listen(server);
