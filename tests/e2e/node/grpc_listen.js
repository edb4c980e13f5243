'use strict';
// On a free port, by TLS where the test gives a key.
const fs = require('fs');
const grpc = require('@grpc/grpc-js');
const { options, say } = require('./lines');

module.exports = (server) => {
  const secret = options.key
    ? grpc.ServerCredentials.createSsl(null, [{ private_key: fs.readFileSync(options.key), cert_chain: fs.readFileSync(options.cert) }])
    : grpc.ServerCredentials.createInsecure();
  server.bindAsync('127.0.0.1:0', secret, (error, port) => {
    if (error) throw error;
    say('listening', { port });
  });
};
