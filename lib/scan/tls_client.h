// A whole TLS handshake with a server that need not be trusted, to see what it shows: OpenSSL over a net::Stream.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "net/loop.h"
#include "net/socket_address.h"
#include "net/stream.h"
#include "net/task.h"
#include "scan/target.h"
#include "x509/certificate.h"
#include "x509/handles.h"

namespace rproxy::scan {

using SslPtr = std::unique_ptr<SSL, x509::FreeBy<SSL_free>>;
using SslCtxPtr = std::unique_ptr<SSL_CTX, x509::FreeBy<SSL_CTX_free>>;
using SessionPtr = std::shared_ptr<SSL_SESSION>;

// What is offered.
struct Offer {
  std::uint16_t version_max = 0x0304;
  std::vector<std::string> alpn;
  bool ocsp = false;
  bool tickets = true;
  SessionPtr session;  // to go on with
};

struct Seen {
  std::uint16_t version = 0;
  std::string cipher;
  std::uint16_t cipher_number = 0;
  std::string alpn;
  std::vector<x509::Certificate> chain;  // as it is sent
  std::string ocsp;                      // the stapled answer, DER; empty: none
  bool is_resumed = false;
  std::string head;  // of the answer to a request, where one was sent
  // Sessions to go on with.
  SessionPtr session;
  bool has_ticket = false;
  std::uint32_t early_data_max = 0;
};

// Connects, shakes hands, and with `asks_http` sends GET / and reads the head of what comes. Errors: kConnect..., kTlsHandshake, kHandshakeTimeout,
// kClosed: the context says why; none where the certificate has been seen before it failed. Never longer than the target's timeout.
net::Task<Result<Seen>> shake_hands(net::Loop& loop, Target target, Offer offer, bool asks_http);

}  // namespace rproxy::scan
