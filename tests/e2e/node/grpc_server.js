'use strict';
// A server of @grpc/grpc-js. What a call's text says, it does: "fail CODE", "hold" (the test speaks), or it echoes.
const { obey, options, say } = require('./lines');
const { grpc, Echo, limits, metadata, shown } = require('./grpc_echo');
const listen = require('./grpc_listen');

const held = new Map();

// A status as google.rpc has it: details ride in a binary trailer.
function failure(text) {
  const [, code, message] = text.split(' ');
  const more = metadata({ 'grpc-status-details-bin': 'CAMSBXdyb25n', 'x-why': 'test' });
  return { code: Number(code), details: `${message}: 100% wrong`, metadata: more };
}

function begin(call, kind) {
  const id = held.size + 1;
  held.set(id, call);
  const received = shown(call.metadata);
  say('call', { id, kind, name: received['x-call'], metadata: received, deadline: Number.isFinite(Number(call.getDeadline())) });
  call.on('cancelled', () => say('cancelled', { id }));
  call.on('error', () => {});
  call.sendMetadata(metadata({ 'x-first': 'hello', 'first-bin': 'AAH/' }));
  return id;
}

const trailers = () => metadata({ 'x-last': 'bye', 'last-bin': '/wEA' });

const service = {
  say(call, reply) {
    if (call.request.text.startsWith('fail')) return reply(failure(call.request.text));
    if (call.request.text === 'name') return reply(null, { text: options.title });
    begin(call, 'say');
    if (call.request.text !== 'hold') reply(null, call.request, trailers());
  },

  collect(call, reply) {
    begin(call, 'collect');
    const texts = [];
    call.on('data', ({ text }) => texts.push(text));
    call.on('end', () => reply(null, { text: texts.join(' ') }, trailers()));
  },

  // A message for each letter; "hold" is the test's to spell.
  spell(call) {
    if (call.request.text.startsWith('fail')) return call.emit('error', failure(call.request.text));
    begin(call, 'spell');
    if (call.request.text === 'hold') return;
    for (const letter of call.request.text) call.write({ text: letter });
    call.end(trailers());
  },

  chat(call) {
    begin(call, 'chat');
    call.on('data', (words) => call.write({ text: `${words.text}?`, data: words.data }));
    call.on('end', () => call.end(trailers()));
  },
};

const server = new grpc.Server(limits);
server.addService(Echo.service, service);
listen(server);

obey({
  write: ({ id, text }) => held.get(id).write({ text }),
  finish: ({ id }) => held.get(id).end(trailers()),
});
