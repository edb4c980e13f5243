#include "net/tls_stream.h"

#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace rproxy::net {
namespace {

constexpr std::size_t kRecordMax = SSL3_RT_MAX_PLAIN_LENGTH;
// Header, nonce, tag and padding of one record, generously.
constexpr std::size_t kRecordOverhead = 256;
// The first byte of a TLS handshake (RFC 8446 5.1).
constexpr char kHandshakeRecord = 0x16;

}  // namespace

TlsStream::TlsStream(StreamPtr inner, SslPtr ssl)
    : Stream(inner->loop(), inner->side()), inner_(std::move(inner)), ssl_(std::move(ssl)) {
  BIO* bio = BIO_new(bio_method());
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_app_data(ssl_.get(), this);
}

TlsStream::~TlsStream() {
  if (!inner_) return;
  inner_->read_waiter_ = {};
  inner_->cancel_write();
}

TlsStream::Ptr TlsStream::accept(StreamPtr inner, TlsServerContext& context) {
  Ptr stream(new TlsStream(std::move(inner), context.make_ssl()));
  SSL_set_accept_state(stream->ssl_.get());
  return stream;
}

TlsStream::Ptr TlsStream::connect(StreamPtr inner, TlsClientContext& context, const std::string& server_name) {
  Ptr stream(new TlsStream(std::move(inner), context.make_ssl(server_name)));
  stream->client_ = &context;
  stream->client_name_ = server_name;
  SSL_CTX_sess_set_new_cb(SSL_get_SSL_CTX(stream->ssl_.get()), &on_new_session);
  SSL_set_connect_state(stream->ssl_.get());
  return stream;
}

int TlsStream::on_new_session(SSL* ssl, SSL_SESSION* session) {
  auto* stream = static_cast<TlsStream*>(SSL_get_app_data(ssl));
  stream->client_->remember(stream->client_name_, SslSessionPtr(session));
  return 1;  // ours now
}

std::string_view TlsStream::server_name() const {
  const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
  return name != nullptr ? name : std::string_view{};
}

// ---- The BIO.

BIO_METHOD* TlsStream::bio_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "rproxy stream");
    BIO_meth_set_read(made, &bio_read);
    BIO_meth_set_write(made, &bio_write);
    BIO_meth_set_ctrl(made, &bio_control);
    return made;
  }();
  return method;
}

int TlsStream::bio_read(BIO* bio, char* out, int size) {
  auto& self = *static_cast<TlsStream*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const auto input = self.inner_->input();
  if (input.empty()) {
    if (self.inner_ended_) return 0;
    BIO_set_retry_read(bio);
    return -1;
  }
  const auto taken = std::min(input.size(), static_cast<std::size_t>(size));
  std::memcpy(out, input.data(), taken);
  self.inner_->consume(taken);
  return static_cast<int>(taken);
}

int TlsStream::bio_write(BIO* bio, const char* data, int size) {
  auto& self = *static_cast<TlsStream*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (!self.out_) {
    self.out_ = self.loop().buffers().take();
    self.out_begin_ = self.out_end_ = 0;
  }
  const auto taken = std::min(self.capacity() - self.out_end_, static_cast<std::size_t>(size));
  if (taken == 0) {
    BIO_set_retry_write(bio);
    return -1;
  }
  std::memcpy(self.out_.data() + self.out_end_, data, taken);
  self.out_end_ += static_cast<std::uint32_t>(taken);
  return static_cast<int>(taken);
}

long TlsStream::bio_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

// ---- The handshake.

Error TlsStream::handshake_error(int ssl_error) const {
  Error error{ErrorCode::kTlsHandshake, side(), Retry::kSafe, 0, {}};
  if (ssl_error == SSL_ERROR_SYSCALL || inner_ended_) {
    ERR_clear_error();
    error.code = ErrorCode::kClosed;
    error.context = "closed during the TLS handshake";
    return error;
  }
  const long verified = SSL_get_verify_result(ssl_.get());
  if (client_ != nullptr && client_->verifies() && verified != X509_V_OK) {
    ERR_clear_error();
    error.code = ErrorCode::kTlsVerify;
    error.context = client_name_ + ": " + X509_verify_cert_error_string(verified);
    return error;
  }
  error.context = x509::take_openssl_reason();
  return error;
}

Task<Result<void>> TlsStream::handshake(Duration timeout) {
  inner_->set_read_timeout(timeout);
  inner_->set_write_timeout(timeout);
  const auto late = [](Error error) {
    if (error.code == ErrorCode::kReadTimeout || error.code == ErrorCode::kWriteTimeout) error.code = ErrorCode::kHandshakeTimeout;
    return error;
  };
  for (bool first = client_ == nullptr;;) {
    if (first && !inner_->input().empty()) {
      const char begin = inner_->input().front();
      if (begin != kHandshakeRecord && begin >= 'A' && begin <= 'Z') {
        co_return fail(ErrorCode::kBadRequest, side(), Retry::kNever, "plain HTTP on a TLS port");
      }
      first = false;
    }
    ERR_clear_error();
    const int done = SSL_do_handshake(ssl_.get());
    const int reason = done == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), done);
    // What OpenSSL has to say goes out even where it has given up: an alert tells the peer why.
    if (has_output()) {
      auto sent = co_await inner_->write(std::string_view(out_.data() + out_begin_, out_end_ - out_begin_));
      out_begin_ = out_end_ = 0;
      if (!sent) co_return fail(late(std::move(sent.error())));
    }
    if (reason == SSL_ERROR_NONE) break;
    if (reason == SSL_ERROR_WANT_WRITE) continue;
    if (reason != SSL_ERROR_WANT_READ) co_return fail(handshake_error(reason));
    drop_empty_output();
    auto filled = co_await inner_->fill();
    if (!filled) co_return fail(late(std::move(filled.error())));
    inner_ended_ = *filled == 0;
  }
  drop_empty_output();
  inner_->set_read_timeout(Duration{0});
  established_ = true;
  co_return Result<void>();
}

// ---- Reading.

Stream::IoResult TlsStream::decrypt() {
  std::size_t total = 0;
  for (;;) {
    const auto room = receive_room();
    if (room.empty()) break;
    ERR_clear_error();
    const int got = SSL_read(ssl_.get(), room.data(), static_cast<int>(room.size()));
    if (got > 0) {
      add_received(static_cast<std::size_t>(got));
      total += static_cast<std::size_t>(got);
      continue;
    }
    const int reason = SSL_get_error(ssl_.get(), got);
    if (total > 0 || reason == SSL_ERROR_WANT_READ) break;
    if (reason == SSL_ERROR_ZERO_RETURN) return IoResult::success(0);
    ERR_clear_error();
    // An end without close_notify may be an attacker's (RFC 8446 6.1).
    return IoResult::failure(inner_ended_ ? ErrorCode::kClosed : ErrorCode::kReset);
  }
  drop_empty_buffer();
  IoResult result = IoResult::success(total);
  result.ready = total > 0;
  return result;
}

void TlsStream::start_read() {
  for (;;) {
    const IoResult result = decrypt();
    if (has_output() && !is_flushing_) (void)flush();  // a key update is answered
    if (result.ready) return complete_read(result);
    if (!inner_->begin_fill()) {
      inner_->read_waiter_ = {[](void* self) { static_cast<TlsStream*>(self)->on_inner_read(); }, this};
      return;
    }
    auto filled = inner_->take(inner_->read_result_);
    if (!filled) return complete_read(IoResult::failure(filled.error().code, filled.error().os_error));
    inner_ended_ = *filled == 0;
  }
}

void TlsStream::on_inner_read() {
  auto filled = inner_->take(inner_->read_result_);
  if (!filled) return complete_read(IoResult::failure(filled.error().code, filled.error().os_error));
  inner_ended_ = *filled == 0;
  start_read();
}

// ---- Writing.

// Encrypts as much as the output has room for. Small pieces share a record: a head and its body are one for the peer. False: broken.
bool TlsStream::encrypt_pending() {
  static thread_local std::array<char, kRecordMax> gathered;
  while (!pending_->empty() && (!out_ || capacity() - out_end_ >= kRecordMax + kRecordOverhead)) {
    const auto pieces = pending_->rest();
    const void* data = pieces[0].iov_base;
    std::size_t size = std::min(pieces[0].iov_len, kRecordMax);
    if (size < kRecordMax && pieces.size() > 1) {
      size = 0;
      for (const iovec& piece : pieces) {
        const std::size_t part = std::min(piece.iov_len, kRecordMax - size);
        std::memcpy(gathered.data() + size, piece.iov_base, part);
        size += part;
      }
      data = gathered.data();
    }
    ERR_clear_error();
    if (SSL_write(ssl_.get(), data, static_cast<int>(size)) != static_cast<int>(size)) return false;
    pending_->advance(size);
  }
  return true;
}

bool TlsStream::start_write() {
  for (;;) {
    if (is_flushing_) return false;
    if (flush_failed_) {
      set_write_result(IoResult::failure(flush_failure_, flush_error_));
      return true;
    }
    if (pending_->empty() && !has_output()) {
      set_write_result(IoResult::success(pending_->total));
      return true;
    }
    if (!encrypt_pending()) {
      ERR_clear_error();
      set_write_result(IoResult::failure(ErrorCode::kReset));
      return true;
    }
    if (!flush()) return false;
  }
}

bool TlsStream::flush() {
  const iovec piece{out_.data() + out_begin_, out_end_ - out_begin_};
  flushing_.assign({&piece, 1});
  out_begin_ = out_end_;
  inner_->set_write_timeout(write_timeout());
  if (!inner_->begin_write(flushing_)) {
    is_flushing_ = true;
    inner_->write_waiter_ = {[](void* self) { static_cast<TlsStream*>(self)->on_inner_written(); }, this};
    inner_->arm_write_deadline();
    return false;
  }
  if (auto sent = inner_->take(inner_->write_result_); !sent) {
    flush_failed_ = true;
    flush_failure_ = sent.error().code;
    flush_error_ = sent.error().os_error;
  }
  drop_empty_output();
  return true;
}

void TlsStream::on_inner_written() {
  is_flushing_ = false;
  if (auto sent = inner_->take(inner_->write_result_); !sent) {
    flush_failed_ = true;
    flush_failure_ = sent.error().code;
    flush_error_ = sent.error().os_error;
    out_begin_ = out_end_;
  }
  drop_empty_output();
  if (pending_ != nullptr) {
    if (start_write()) complete_write(write_result());
    return;
  }
  if (has_output() && !flush()) return;
  if (shutdown_wanted_) inner_->shutdown_write();
}

void TlsStream::drop_empty_output() {
  if (is_flushing_ || has_output()) return;
  out_begin_ = out_end_ = 0;
  out_.reset();
}

// ---- Ending.

void TlsStream::shutdown_write() {
  if (shutdown_wanted_) return;
  shutdown_wanted_ = true;
  ERR_clear_error();
  if (established_) SSL_shutdown(ssl_.get());
  if (is_flushing_ || (has_output() && !flush())) return;
  inner_->shutdown_write();
}

void TlsStream::abort(bool reset) {
  shutdown_wanted_ = true;
  inner_->abort(reset);
}

void TlsStream::retire() {
  // Peers tell an end from a cut by close_notify: as far as it can be sent without waiting, it is.
  if (inner_ && established_ && !shutdown_wanted_ && !is_flushing_ && !flush_failed_) {
    ERR_clear_error();
    if (SSL_get_shutdown(ssl_.get()) != (SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)) SSL_shutdown(ssl_.get());
    if (has_output()) (void)flush();
    ERR_clear_error();
  }
  delete this;
}

}  // namespace rproxy::net
