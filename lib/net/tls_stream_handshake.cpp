#include <fmt/format.h>
#include <openssl/err.h>

#include <utility>

#include "net/from_thread.h"
#include "net/tls_stream.h"

namespace rproxy::net {

// One limit on the whole, however many pieces it comes in.
struct TlsStream::HandshakeDeadline {
  Stream& inner;
  bool expired = false;
  Deadline deadline{[](void* self) { static_cast<HandshakeDeadline*>(self)->expire(); }, this};

  void expire() {
    expired = true;
    inner.abort(false);
  }
};

Task<Result<void>> TlsStream::handshake(Duration timeout) {
  if (auto possible = check_verifiable(); !possible) co_return fail(std::move(possible.error()));
  HandshakeDeadline limit{*inner_};
  limit.deadline.arm(loop().wheel(), timeout);
  auto done = co_await shake_hands();
  if (!done) {
    if (limit.expired) {
      done.error() = Error{ErrorCode::kHandshakeTimeout, side(), Retry::kSafe, 0, "the TLS handshake took too long"};
    }
    co_return done;
  }
  if (early_ == Early::kNone) establish();
  co_return done;
}

void TlsStream::establish() {
  established_ = true;
  SSL_set_msg_callback(ssl_.get(), &on_message);
  SSL_set_msg_callback_arg(ssl_.get(), this);
}

Task<Result<void>> TlsStream::shake_hands() {
  if (server_ == nullptr) {
    if (auto begun = co_await receive(); !begun) co_return begun;
    if (is_plain_http()) co_return fail(ErrorCode::kBadRequest, side(), Retry::kNever, "plain HTTP on a TLS port");
    if (context_->takes_early_data()) {
      auto taken = co_await take_early_data();
      if (!taken) co_return fail(std::move(taken.error()));
      if (*taken) co_return Result<void>();
    }
  }
  for (;;) {
    ERR_clear_error();
    const int done = SSL_do_handshake(ssl_.get());
    const int reason = SSL_get_error(ssl_.get(), done);
    if (reason == SSL_ERROR_WANT_X509_LOOKUP) {
      co_await wait_for_certificate();
      continue;
    }
    const bool goes_on = reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE;
    // The client waits for no tickets: they leave with the first answer.
    if (done == 1 && server_ == nullptr && SSL_version(ssl_.get()) >= TLS1_3_VERSION) co_return Result<void>();
    Error error = done == 1 || goes_on ? Error{} : handshake_error(reason);
    // What OpenSSL has to say goes out even where it has given up: an alert tells the peer why.
    auto sent = co_await send_output();
    if (!sent && (done == 1 || goes_on)) co_return sent;
    if (done == 1) co_return Result<void>();
    if (!goes_on) co_return fail(std::move(error));
    if (reason == SSL_ERROR_WANT_WRITE) continue;
    if (auto more = co_await receive(); !more) co_return more;
  }
}

Task<Result<void>> TlsStream::send_output() {
  if (output_.empty()) co_return Result<void>();
  TlsOutput::Pieces pieces;
  auto sent = co_await inner_->write(output_.hand_down(pieces));
  output_.handed_down();
  if (!sent) co_return fail(closed_error(std::move(sent.error())));
  co_return Result<void>();
}

// Who makes it says no more than that it is over: the handshake then finds it, or does without.
Task<void> TlsStream::wait_for_certificate() {
  FromThread<bool> made(loop());
  context_->have_made(ssl_.get(), made.teller());
  (void)co_await made.told();
}

// RFC 8446 4.2.10. What a client without a ticket sends comes to SSL_READ_EARLY_DATA_FINISH at once.
Task<Result<bool>> TlsStream::take_early_data() {
  for (;;) {
    ERR_clear_error();
    const auto room = receive_room();
    std::size_t got = 0;
    const int read = SSL_read_early_data(ssl_.get(), room.data(), room.size(), &got);
    const int reason = read == SSL_READ_EARLY_DATA_ERROR ? SSL_get_error(ssl_.get(), 0) : SSL_ERROR_NONE;
    if (reason == SSL_ERROR_WANT_X509_LOOKUP) {
      drop_empty_buffer();
      co_await wait_for_certificate();
      continue;
    }
    const bool is_broken = reason != SSL_ERROR_NONE && reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_WANT_WRITE;
    Error error = is_broken ? handshake_error(reason) : Error{};
    if (read == SSL_READ_EARLY_DATA_SUCCESS) {
      add_received(got);
      early_ = Early::kComing;
    } else {
      drop_empty_buffer();
    }
    // Tickets may have been made already, for which the client does not wait.
    if (read == SSL_READ_EARLY_DATA_FINISH) co_return false;
    auto sent = co_await send_output();
    if (is_broken) co_return fail(std::move(error));
    if (!sent) co_return fail(std::move(sent.error()));
    if (read == SSL_READ_EARLY_DATA_SUCCESS) co_return true;
    if (reason == SSL_ERROR_WANT_WRITE) continue;
    if (auto more = co_await receive(); !more) co_return fail(std::move(more.error()));
  }
}

Task<Result<void>> TlsStream::receive() {
  if (!inner_->input().empty()) co_return Result<void>();
  auto filled = co_await inner_->fill();
  if (!filled) co_return fail(closed_error(std::move(filled.error())));
  if (*filled == 0) co_return fail(closed_error(Error{ErrorCode::kClosed, side(), Retry::kSafe, 0, {}}));
  co_return Result<void>();
}

// Without a name to hold against it, any valid certificate would do.
Result<void> TlsStream::check_verifiable() const {
  const bool verifies = server_ != nullptr && SSL_get_verify_mode(ssl_.get()) != SSL_VERIFY_NONE;
  if (!verifies || TlsClientContext::is_verifiable(server_->name)) return {};
  return fail(ErrorCode::kTlsVerify, side(), Retry::kSafe,
              fmt::format("\"{}\" is no name a certificate could prove; set server_name", server_->name));
}

// A TLS record begins with 0x16 (RFC 8446 5.1), a request with the method's first letter.
bool TlsStream::is_plain_http() const {
  const char first = inner_->input().front();
  return first >= 'A' && first <= 'Z';
}

Error TlsStream::closed_error(Error error) {
  error.retry = Retry::kSafe;
  error.context = "connection ended during the TLS handshake";
  return error;
}

Error TlsStream::handshake_error(int reason) const {
  Error error{ErrorCode::kTlsHandshake, side(), Retry::kSafe, 0, {}};
  const long verified = SSL_get_verify_result(ssl_.get());
  if (verified != X509_V_OK && SSL_get_verify_mode(ssl_.get()) != SSL_VERIFY_NONE) {
    ERR_clear_error();
    error.code = ErrorCode::kTlsVerify;
    // The one reason that is ours.
    const char* const why =
        verified == X509_V_ERR_APPLICATION_VERIFICATION ? "no rule allows it" : X509_verify_cert_error_string(verified);
    error.context = fmt::format("{}: {}", server_ != nullptr ? server_->name : "the client's certificate", why);
    return error;
  }
  error.context = reason == SSL_ERROR_SSL ? x509::take_openssl_reason() : "no agreement";
  if (server_ != nullptr) error.context = fmt::format("{}: {}", server_->name, error.context);
  return error;
}

}  // namespace rproxy::net
