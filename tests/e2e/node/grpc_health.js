'use strict';
// A server of @grpc/grpc-js with the health service of health.proto; how its services are the test says.
const path = require('path');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');
const listen = require('./grpc_listen');
const { obey, say } = require('./lines');

const definition = loader.loadSync(path.join(__dirname, 'health.proto'), { enums: String, defaults: true });
const { Health } = grpc.loadPackageDefinition(definition).grpc.health.v1;

const services = new Map([['', 'SERVING']]);

function check(call, reply) {
  const { service } = call.request;
  say('check', { service, metadata: call.metadata.getMap(), deadline: Number.isFinite(Number(call.getDeadline())) });
  const status = services.get(service);
  if (status) reply(null, { status });
  else reply({ code: grpc.status.NOT_FOUND, details: 'unknown service' });
}

const server = new grpc.Server();
server.addService(Health.service, { check });
listen(server);

obey({
  set: ({ service, status }) => {
    services.set(service, status);
    say('set', { service, status });
  },
});
