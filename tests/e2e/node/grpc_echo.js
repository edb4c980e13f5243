'use strict';
// The service of echo.proto, and what its messages and metadata look like in a test's lines.
const path = require('path');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');
const { digest, pattern } = require('./lines');

const { Echo } = grpc.loadPackageDefinition(loader.loadSync(path.join(__dirname, 'echo.proto'), { defaults: true })).test;

const limits = { 'grpc.max_receive_message_length': 64 << 20, 'grpc.max_send_message_length': 64 << 20 };

// Binary values (`-bin`) are base64 in a line.
function metadata(fields = {}) {
  const made = new grpc.Metadata();
  for (const [name, value] of Object.entries(fields)) made.add(name, name.endsWith('-bin') ? Buffer.from(value, 'base64') : value);
  return made;
}

function shown(received) {
  const fields = {};
  for (const [name, value] of Object.entries(received.getMap())) fields[name] = Buffer.isBuffer(value) ? value.toString('base64') : value;
  return fields;
}

const words = ({ text = '', size = 0 }) => ({ text, data: pattern(size) });

const told = ({ text, data }) => ({ text, size: data.length, sha256: digest(data) });

module.exports = { grpc, Echo, limits, metadata, shown, words, told };
