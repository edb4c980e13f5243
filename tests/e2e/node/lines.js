'use strict';
// How a script and its test speak: options as JSON in the first argument, events out and commands in as JSON lines.
// The script ends when its input does.
const crypto = require('crypto');
const fs = require('fs');
const readline = require('readline');
const { Readable } = require('stream');

const options = JSON.parse(process.argv[2] || '{}');

function say(event, fields) {
  process.stdout.write(JSON.stringify({ event, ...fields }) + '\n');
}

function obey(commands) {
  const lines = readline.createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    const command = JSON.parse(line);
    commands[command.do](command);
  });
  lines.on('close', () => process.exit());
}

// The same as pattern() of peers.py.
function pattern(size) {
  return Buffer.alloc(size, Buffer.from(Array.from({ length: 251 }, (_, index) => index)));
}

// In pieces, as fast as they are taken: Node's own HTTP/2 ends who is handed more than 10 MB at once.
function pour(data, stream) {
  const pieces = function* () {
    for (let start = 0; start < data.length; start += 65536) yield data.subarray(start, start + 65536);
  };
  Readable.from(pieces()).pipe(stream);
}

const digest = (data) => crypto.createHash('sha256').update(data).digest('hex');

const identity = () => ({ key: fs.readFileSync(options.key), cert: fs.readFileSync(options.cert) });

function listen(server) {
  server.listen(options.port || 0, '127.0.0.1', 4096, () => say('listening', { port: server.address().port }));
}

module.exports = { options, say, obey, pattern, pour, digest, identity, listen };
