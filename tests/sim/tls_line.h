// TLS in front of a scripted peer: OpenSSL over two pieces of memory, which shares no code with the proxy's streams.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "net/tls_context.h"
#include "sim/wire.h"
#include "x509/certified_key.h"

namespace rproxy::sim {

// What the peers' sides and the proxy need. The certificate is Ed25519 and self-signed: all sizes are the same in every run.
class TlsParts {
 public:
  TlsParts();

  SSL_CTX* client() { return client_.get(); }
  SSL_CTX* server() { return server_.get(); }
  const net::TlsIdentities::Keys& keys() const { return keys_; }

 private:
  net::SslCtxPtr client_;
  net::SslCtxPtr server_;
  net::TlsIdentities::Keys keys_;
};

// Stands between a wire and the script. An end without close_notify is told as a reset: the script can't take it for an end.
class TlsLine final : public Line, public Peer {
 public:
  TlsLine(World& world, Peer& script, SSL_CTX* context, bool accepts);

  const std::shared_ptr<Wire>& wire() const { return wire_; }
  void send(std::string_view bytes) override;
  void finish() override;
  void reset() override { wire_->reset(); }

 private:
  void on_bytes(std::string_view bytes) override;
  void on_end(End end) override;
  void receive();
  void flush();

  Peer& script_;
  std::shared_ptr<Wire> wire_;
  net::SslPtr ssl_;
  std::string unsent_;  // until the handshake is over
  bool finishing_ = false;
  bool told_end_ = false;
};

}  // namespace rproxy::sim
