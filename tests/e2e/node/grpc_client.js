'use strict';
// A client of @grpc/grpc-js that calls what it is told to.
const fs = require('fs');
const { obey, options, say } = require('./lines');
const { grpc, Echo, limits, metadata, shown, told, words } = require('./grpc_echo');

const secret = options.ca ? grpc.credentials.createSsl(fs.readFileSync(options.ca)) : grpc.credentials.createInsecure();
// Every failure is the test's to see: grpc-js itself is not to try again.
const client = new Echo(options.address, secret, {
  ...limits, 'grpc.enable_retries': 0, 'grpc.ssl_target_name_override': options.ca && 'shop.com',
});
const calls = new Map();

const single = { say: true, collect: true };

function call({ id, method, fields, deadline_ms, ...message }) {
  const how = { deadline: deadline_ms === undefined ? Infinity : Date.now() + deadline_ms };
  const reply = (error, response) => !error && say('message', { id, ...told(response) });
  const first = method === 'say' || method === 'spell' ? [words(message)] : [];
  const made = client[method](...first, metadata(fields), how, ...(single[method] ? [reply] : []));
  calls.set(id, made);
  made.on('metadata', (received) => say('metadata', { id, fields: shown(received) }));
  made.on('status', ({ code, details, metadata: received }) => say('status', { id, code, details, fields: shown(received) }));
  if (single[method]) return;
  made.on('data', (response) => say('message', { id, ...told(response) }));
  made.on('error', () => {});
}

// So many calls at once; each must have its own words back.
async function crowd({ count }) {
  const one = (index) => new Promise((resolve, reject) => {
    const text = `number ${index}`;
    client.say({ text }, (error, reply = {}) => (reply.text === text ? resolve() : reject(error || new Error(reply.text))));
  });
  const ends = await Promise.allSettled(Array.from({ length: count }, (_, index) => one(index)));
  const wrong = ends.filter((end) => end.reason).map((end) => end.reason.message);
  say('crowd', { right: count - wrong.length, wrong: wrong.slice(0, 5) });
}

obey({
  call,
  crowd,
  write: ({ id, ...message }) => calls.get(id).write(words(message)),
  end: ({ id }) => calls.get(id).end(),
  cancel: ({ id }) => calls.get(id).cancel(),
});
