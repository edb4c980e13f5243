// A TLS client and a TLS server on the two ends of a local connection, with an authority of their own.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "net/tls_stream.h"
#include "support/temporary_directory.h"
#include "support/test_certificates.h"
#include "support/test_loop.h"

namespace rproxy::test {

struct TlsEnds {
  TestLoop loop;
  TestAuthority authority;
  TemporaryDirectory files;
  net::TicketKeys tickets;
  net::TlsServerOptions server_options;
  net::TlsClientOptions client_options;
  std::vector<std::string> server_alpn{"http/1.1"};
  int server_version_max = 0;
  net::TlsIdentities::Keys keys;
  std::shared_ptr<net::TlsPresence> presence;
  std::unique_ptr<net::TlsServerContext> server_context;
  std::unique_ptr<net::TlsClientContext> client_context;
  net::TlsStream::Ptr client;
  net::TlsStream::Ptr server;
  Result<void> client_done;
  Result<void> server_done;

  TlsEnds() { client_options.ca_file = files.write("ca.pem", authority.pem()); }

  void add_key(const CertificateSpec& spec) {
    const PemPair pair = authority.issue(spec);
    auto key = x509::CertifiedKey::parse(pair.cert, pair.key, "cert", "key");
    if (!key) throw std::runtime_error(describe(key.error()));
    keys.push_back(std::make_shared<const x509::CertifiedKey>(std::move(*key)));
  }
  void serve(std::vector<std::string> names) { add_key({.names = std::move(names)}); }

  void make_contexts() {
    auto made_server = net::TlsServerContext::create(server_options, presence = net::TlsPresence::of(keys).value(),
                                                     tickets, server_alpn);
    if (!made_server) throw std::runtime_error(describe(made_server.error()));
    server_context = std::move(*made_server);
    if (server_version_max != 0) {
      SSL_CTX_set_max_proto_version(SSL_get_SSL_CTX(server_context->make_ssl().get()), server_version_max);
    }
    if (client_context) return;
    auto made_client = net::TlsClientContext::create(client_options);
    if (!made_client) throw std::runtime_error(describe(made_client.error()));
    client_context = std::move(*made_client);
  }

  // Two streams that have not spoken yet.
  void connect(const std::string& name, int type = SOCK_STREAM) {
    if (!server_context) make_contexts();
    auto [client_end, server_end] = loop.connected(type);
    client = net::TlsStream::connect(std::move(client_end), *client_context, name);
    server = net::TlsStream::accept(std::move(server_end), *server_context);
  }

  // The handshake of both, and one byte each way, so that tickets have arrived.
  void shake(const std::string& name, int type = SOCK_STREAM) {
    connect(name, type);
    loop.run(shake_only(*client, client_done), shake_only(*server, server_done));
    if (client_done && server_done) loop.run(settle());
  }

  static net::Task<void> shake_only(net::TlsStream& stream, Result<void>& done, Duration timeout = Duration{5'000}) {
    done = co_await stream.handshake(timeout);
    if (!done && done.error().code != ErrorCode::kBadRequest) stream.abort(false);
  }

  net::Task<void> settle() {
    for (auto [from, to] : {std::pair{client.get(), server.get()}, std::pair{server.get(), client.get()}}) {
      (void)co_await from->write("x");
      (void)co_await to->fill();
      to->consume(to->input().size());
    }
  }

  void close() {
    client.reset();
    server.reset();
  }
};

}  // namespace rproxy::test
