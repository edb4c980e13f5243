#include "scan/tls_client.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <utility>

#include "net/connect.h"

namespace rproxy::scan {
namespace {

constexpr std::size_t kHeadMax = std::size_t{64} * 1024;
constexpr std::size_t kReceivedMax = std::size_t{512} * 1024;

SessionPtr shared(SSL_SESSION* session) { return {session, SSL_SESSION_free}; }

std::string alpn_wire(const std::vector<std::string>& protocols) {
  std::string wire;
  for (const std::string& each : protocols) {
    wire += static_cast<char>(each.size());
    wire += each;
  }
  return wire;
}

// The newest one that can be gone on with; in TLS 1.3 it comes after the handshake.
int keep_session(SSL* ssl, SSL_SESSION* session) {
  *static_cast<SessionPtr*>(SSL_get_app_data(ssl)) = shared(session);
  return 1;
}

SslCtxPtr make_context(const Offer& offer) {
  SslCtxPtr context(SSL_CTX_new(TLS_client_method()));
  // Whatever the server has is looked at, and judged afterwards.
  SSL_CTX_set_security_level(context.get(), 0);
  SSL_CTX_set_cipher_list(context.get(), "ALL:COMPLEMENTOFALL:@SECLEVEL=0");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
  SSL_CTX_set_max_proto_version(context.get(), offer.version_max);
  SSL_CTX_set_options(context.get(), SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_IGNORE_UNEXPECTED_EOF);
  if (!offer.tickets) SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context.get(), keep_session);
  return context;
}

class Client {
 public:
  Client(Target target, Offer offer)
      : target_(std::move(target)),
        offer_(std::move(offer)),
        end_(Clock::now() + target_.timeout),
        context_(make_context(offer_)) {}

  net::Task<Result<void>> connect(net::Loop& loop) {
    auto stream = co_await net::connect(loop, target_.address, target_.timeout);
    if (!stream) co_return fail(std::move(stream.error()));
    stream_ = std::move(*stream);
    stream_->set_write_timeout(target_.timeout);
    if (!target_.greeting.empty()) {
      auto greeted = co_await stream_->write(target_.greeting);
      if (!greeted) co_return fail(std::move(greeted.error()));
    }
    set_up();
    co_return co_await run(Step::kHandshake);
  }

  net::Task<Result<void>> ask() {
    request_ = fmt::format(
        "GET / HTTP/1.1\r\nHost: {}\r\nUser-Agent: rproxy-cert\r\nAccept: */*\r\nConnection: close\r\n\r\n",
        target_.server_name.find(':') != std::string::npos ? "[" + target_.server_name + "]" : target_.server_name);
    auto written = co_await run(Step::kWrite);
    if (!written) co_return written;
    while (head_.size() < kHeadMax && head_.find("\r\n\r\n") == std::string::npos) {
      auto read = co_await run(Step::kRead);
      if (!read) co_return read;
      if (is_ended_) break;
    }
    co_return Result<void>{};
  }

  bool has_chain() const { return ssl_ && SSL_get_peer_cert_chain(ssl_.get()) != nullptr; }

  // Without it OpenSSL takes the session for one that is not to be gone on with.
  net::Task<void> say_goodbye() {
    SSL_shutdown(ssl_.get());
    (void)co_await flush();
  }

  Seen seen() {
    Seen out;
    out.version = static_cast<std::uint16_t>(SSL_version(ssl_.get()));
    out.cipher = SSL_get_cipher_name(ssl_.get());
    const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl_.get());
    out.cipher_number = cipher != nullptr ? SSL_CIPHER_get_protocol_id(cipher) : 0;
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &name, &size);
    out.alpn.assign(reinterpret_cast<const char*>(name), size);
    const STACK_OF(X509)* chain = SSL_get_peer_cert_chain(ssl_.get());
    for (int i = 0; chain != nullptr && i < sk_X509_num(chain); ++i) {
      X509* each = sk_X509_value(chain, i);
      X509_up_ref(each);
      out.chain.emplace_back(x509::X509Ptr(each));
    }
    const unsigned char* answer = nullptr;
    const long answer_size = SSL_get_tlsext_status_ocsp_resp(ssl_.get(), &answer);
    if (answer_size > 0) out.ocsp.assign(reinterpret_cast<const char*>(answer), static_cast<std::size_t>(answer_size));
    out.is_resumed = SSL_session_reused(ssl_.get()) == 1;
    out.session = session_;
    if (session_) {
      out.has_ticket = SSL_SESSION_has_ticket(session_.get()) == 1;
      out.early_data_max = SSL_SESSION_get_max_early_data(session_.get());
    }
    out.head = head_.substr(0, head_.find("\r\n\r\n"));
    ERR_clear_error();
    return out;
  }

 private:
  enum class Step : std::uint8_t { kHandshake, kWrite, kRead };

  void set_up() {
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_app_data(ssl_.get(), &session_);
    input_ = BIO_new(BIO_s_mem());
    output_ = BIO_new(BIO_s_mem());
    // Nothing there is not the end.
    BIO_set_mem_eof_return(input_, -1);
    SSL_set_bio(ssl_.get(), input_, output_);
    SSL_set_connect_state(ssl_.get());
    if (!IpAddress::parse(target_.server_name) && !target_.server_name.empty())
      SSL_set_tlsext_host_name(ssl_.get(), target_.server_name.c_str());
    const std::string wire = alpn_wire(offer_.alpn);
    if (!wire.empty())
      SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(wire.data()),
                          static_cast<unsigned>(wire.size()));
    if (offer_.ocsp) SSL_set_tlsext_status_type(ssl_.get(), TLSEXT_STATUSTYPE_ocsp);
    if (offer_.session) SSL_set_session(ssl_.get(), offer_.session.get());
  }

  int advance(Step step) {
    ERR_clear_error();
    if (step == Step::kHandshake) return SSL_do_handshake(ssl_.get());
    if (step == Step::kWrite) return SSL_write(ssl_.get(), request_.data(), static_cast<int>(request_.size()));
    char room[16384];
    const int size = SSL_read(ssl_.get(), room, sizeof room);
    if (size > 0) head_.append(room, static_cast<std::size_t>(size));
    return size;
  }

  net::Task<Result<void>> run(Step step) {
    for (;;) {
      const int done = advance(step);
      const int why = done > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), done);
      const std::string reason = why == SSL_ERROR_SSL ? x509::take_openssl_reason() : "";
      auto flushed = co_await flush();
      if (why == SSL_ERROR_NONE) co_return flushed;
      if (why == SSL_ERROR_ZERO_RETURN) {
        is_ended_ = true;
        co_return Result<void>{};
      }
      if (why != SSL_ERROR_WANT_READ)
        co_return fail(ErrorCode::kTlsHandshake, Side::kUpstream, Retry::kNever,
                       reason.empty() ? "it ended the connection" : reason);
      if (!flushed) co_return flushed;
      auto received = co_await receive();
      if (!received) co_return received;
      if (is_ended_ && step == Step::kRead) co_return Result<void>{};
      if (is_ended_)
        co_return fail(ErrorCode::kClosed, Side::kUpstream, Retry::kNever,
                       "it ended the connection during the handshake");
    }
  }

  net::Task<Result<void>> flush() {
    char* data = nullptr;
    const long size = BIO_get_mem_data(output_, &data);
    if (size <= 0) co_return Result<void>{};
    const std::string bytes(data, static_cast<std::size_t>(size));
    (void)BIO_reset(output_);
    auto sent = co_await stream_->write(bytes);
    if (!sent) co_return fail(std::move(sent.error()));
    co_return Result<void>{};
  }

  net::Task<Result<void>> receive() {
    // Whoever sends a little now and then does not put it off.
    const auto left = std::chrono::duration_cast<Duration>(end_ - Clock::now());
    if (left.count() <= 0) co_return fail(ErrorCode::kReadTimeout, Side::kUpstream, Retry::kSafe, target_.label);
    stream_->set_read_timeout(left);
    auto got = co_await stream_->fill();
    if (!got) co_return fail(std::move(got.error()));
    if (*got == 0 || received_ > kReceivedMax) {
      is_ended_ = true;
      co_return Result<void>{};
    }
    received_ += *got;
    const std::string_view bytes = stream_->input();
    BIO_write(input_, bytes.data(), static_cast<int>(bytes.size()));
    stream_->consume(bytes.size());
    co_return Result<void>{};
  }

  Target target_;
  Offer offer_;
  TimePoint end_;
  SslCtxPtr context_;
  net::StreamPtr stream_;
  SslPtr ssl_;
  BIO* input_ = nullptr;   // the SSL's
  BIO* output_ = nullptr;  // the SSL's
  SessionPtr session_;
  std::string request_;
  std::string head_;
  std::size_t received_ = 0;
  bool is_ended_ = false;
};

}  // namespace

net::Task<Result<Seen>> shake_hands(net::Loop& loop, Target target, Offer offer, bool asks_http) {
  Client client(std::move(target), std::move(offer));
  auto connected = co_await client.connect(loop);
  // A server that wants a certificate of its clients shows its own before it says no.
  if (!connected && client.has_chain()) co_return client.seen();
  if (!connected) co_return fail(std::move(connected.error()));
  // What it answers is worth having, and no more.
  if (asks_http) {
    auto asked = co_await client.ask();
    if (!asked && asked.error().code == ErrorCode::kCancelled) co_return fail(std::move(asked.error()));
  }
  co_await client.say_goodbye();
  co_return client.seen();
}

}  // namespace rproxy::scan
