#include "acme/standalone.h"

#include <chrono>
#include <utility>

#include "downstream/http1_server.h"
#include "exchange/error_page.h"
#include "net/listener.h"
#include "net/task_group.h"
#include "net/tls_context.h"
#include "net/tls_stream.h"
#include "x509/issuing.h"
#include "x509/private_key.h"

namespace rproxy::acme {
namespace {

constexpr std::size_t kConnectionsMax = 256;
constexpr Duration kHandshake{10'000};
constexpr Duration kKeepAlive{5'000};

class NotFound final : public exchange::Handler {
 public:
  net::Task<Result<exchange::Response>> handle(exchange::Request& request) override {
    co_return exchange::error_response(request, 404);
  }
};

// Sockets are shared out where several listen by SO_REUSEPORT: whoever validates would come to the wrong one.
Result<Fd> open_alone(const HostPort& address) {
  net::ListenOptions options;
  options.address = address;
  if (auto unused = net::check_unused(options); !unused) return fail(std::move(unused.error()));
  return net::open_listener(options);
}

// What is shown to who does not validate.
Result<std::shared_ptr<net::TlsPresence>> presence(std::shared_ptr<const net::TlsChallenges> challenges) {
  auto key = x509::generate_key(x509::KeyType::kEcP256);
  if (!key) return fail(std::move(key.error()));
  x509::Profile profile;
  profile.names.push_back({x509::SubjectName::Kind::kDns, "localhost"});
  profile.not_before = std::chrono::system_clock::now() - std::chrono::hours{1};
  profile.not_after = profile.not_before + std::chrono::hours{24};
  auto certificate = x509::self_signed(profile, key->get());
  if (!certificate) return fail(std::move(certificate.error()));
  auto both = x509::CertifiedKey::pair({std::move(*certificate)}, std::move(*key), "placeholder", "placeholder");
  if (!both) return fail(std::move(both.error()));
  auto shown = net::TlsIdentities::create({std::make_shared<const x509::CertifiedKey>(std::move(*both))});
  if (!shown) return fail(std::move(shown.error()));
  return std::make_shared<net::TlsPresence>(std::move(*shown), std::move(challenges));
}

}  // namespace

class Standalone::HttpDoor {
 public:
  HttpDoor(net::Loop& loop, Fd socket, const ProofPlaces& places)
      : handler_(places.http, not_found_),
        context_(options_, loop, handler_, nullptr),
        listener_(
            loop, std::move(socket), [this] { return connections_.size() < kConnectionsMax; },
            [this](net::StreamPtr stream, const net::Peer& peer, const net::Peer&) {
              serve(std::move(stream), peer);
            }) {
    options_.keep_alive_timeout = kKeepAlive;
    connections_.on_end({[](void* self) { static_cast<HttpDoor*>(self)->listener_.resume(); }, this});
    listener_.start();
  }
  HttpDoor(const HttpDoor&) = delete;
  HttpDoor& operator=(const HttpDoor&) = delete;
  ~HttpDoor() { connections_.on_end({}); }

 private:
  void serve(net::StreamPtr stream, const net::Peer& peer) {
    exchange::Client client;
    client.peer = peer;
    connections_.spawn(downstream::serve_http1(std::move(stream), client, context_));
  }

  downstream::Options options_;
  NotFound not_found_;
  ChallengeHandler handler_;
  downstream::Context context_;
  net::TaskGroup connections_;
  net::Listener listener_;
};

class Standalone::TlsDoor {
 public:
  TlsDoor(net::Loop& loop, Fd socket)
      : listener_(
            loop, std::move(socket), [this] { return connections_.size() < kConnectionsMax; },
            [this](net::StreamPtr stream, const net::Peer&, const net::Peer&) {
              connections_.spawn(shake_hands(std::move(stream)));
            }) {
    connections_.on_end({[](void* self) { static_cast<TlsDoor*>(self)->listener_.resume(); }, this});
  }
  TlsDoor(const TlsDoor&) = delete;
  TlsDoor& operator=(const TlsDoor&) = delete;
  ~TlsDoor() { connections_.on_end({}); }

  Result<void> start(const ProofPlaces& places) {
    auto shown = presence(places.tls);
    if (!shown) return fail(std::move(shown.error()));
    auto context = net::TlsServerContext::create({}, std::move(*shown), tickets_);
    if (!context) return fail(std::move(context.error()));
    context_ = std::move(*context);
    listener_.start();
    return {};
  }

 private:
  // RFC 8737 4: that is all that is wanted.
  net::Task<void> shake_hands(net::StreamPtr stream) {
    auto secured = net::TlsStream::accept(std::move(stream), *context_);
    (void)co_await secured->handshake(kHandshake);
  }

  net::TicketKeys tickets_;
  std::unique_ptr<net::TlsServerContext> context_;
  net::TaskGroup connections_;
  net::Listener listener_;
};

Standalone::Standalone() = default;
Standalone::~Standalone() = default;

Result<std::unique_ptr<Standalone>> Standalone::open(net::Loop& loop, const Options& options,
                                                     const ProofPlaces& places) {
  std::unique_ptr<Standalone> made(new Standalone());
  if (options.http) {
    auto socket = open_alone(*options.http);
    if (!socket) return fail(std::move(socket.error()));
    made->http_ = std::make_unique<HttpDoor>(loop, std::move(*socket), places);
  }
  if (options.tls) {
    auto socket = open_alone(*options.tls);
    if (!socket) return fail(std::move(socket.error()));
    made->tls_ = std::make_unique<TlsDoor>(loop, std::move(*socket));
    if (auto started = made->tls_->start(places); !started) return fail(std::move(started.error()));
  }
  return made;
}

}  // namespace rproxy::acme
