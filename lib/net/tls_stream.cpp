#include "net/tls_stream.h"

#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace rproxy::net {
namespace {

constexpr std::size_t kRecordMax = SSL3_RT_MAX_PLAIN_LENGTH;
// Header, nonce and tag of one record, and a key update or an alert before it.
constexpr std::size_t kRecordOverhead = 256;
// Copying a piece that long into a record costs more than a record of its own.
constexpr std::size_t kGatherMax = 4096;
// RFC 8446 5.5: AES-GCM keys are good for 2^24.5 full records.
constexpr std::uint32_t kRecordsPerKey = std::uint32_t{1} << 24;

}  // namespace

TlsStream::TlsStream(StreamPtr inner, SslPtr ssl)
    : Stream(inner->loop(), inner->side()), inner_(std::move(inner)), ssl_(std::move(ssl)), output_(loop().buffers()) {
  BIO* bio = BIO_new(bio_method());
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
}

TlsStream::Ptr TlsStream::accept(StreamPtr inner, TlsServerContext& context) {
  Ptr stream(new TlsStream(std::move(inner), context.make_ssl()));
  SSL_set_accept_state(stream->ssl_.get());
  stream->context_ = &context;
  return stream;
}

TlsStream::Ptr TlsStream::connect(StreamPtr inner, TlsClientContext& context, std::string_view server_name) {
  TlsClientContext::Server& server = context.server(server_name);
  Ptr stream(new TlsStream(std::move(inner), context.make_ssl(server)));
  stream->server_ = &server;
  SSL_set_connect_state(stream->ssl_.get());
  return stream;
}

std::string_view TlsStream::alpn() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

std::string_view TlsStream::server_name() const {
  const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
  return name != nullptr && !x509::normal_dns_name(name).empty() ? name : std::string_view{};
}

std::optional<x509::Certificate> TlsStream::peer_certificate() const {
  x509::X509Ptr shown(SSL_get1_peer_certificate(ssl_.get()));
  if (!shown) return std::nullopt;
  return x509::Certificate(std::move(shown));
}

// ---- Reading.

void TlsStream::start_read() {
  for (;;) {
    const IoResult result = decrypt();
    // While there is something to answer, what is left to say goes with the answer.
    if ((!result.ready || result.failed) && !output_.empty() && !flushing_) (void)flush();
    if (result.ready) return complete_read(result);
    const Waiter filled{[](void* self) { static_cast<TlsStream*>(self)->on_filled(); }, this};
    if (!begin_inner_fill(*inner_, filled)) return;
    const IoResult received = take_inner_fill(*inner_);
    if (received.failed || received.size == 0)
      end_ = received.failed ? received : IoResult::failure(ErrorCode::kClosed);
  }
}

void TlsStream::on_filled() {
  const IoResult received = take_inner_fill(*inner_);
  if (received.failed || received.size == 0) end_ = received.failed ? received : IoResult::failure(ErrorCode::kClosed);
  start_read();
}

Stream::IoResult TlsStream::decrypt() {
  std::size_t total = 0;
  while (!end_.ready || SSL_pending(ssl_.get()) > 0) {
    if (inner_->input().empty() && SSL_pending(ssl_.get()) == 0) break;
    const auto room = receive_room();
    if (room.empty()) break;
    ERR_clear_error();
    std::size_t got = 0;
    if (read_some(room, got)) {
      add_received(got);
      total += got;
      messages_ = 0;
      continue;
    }
    const int reason = SSL_get_error(ssl_.get(), 0);
    // Tickets may wait for room in the output: they are as good later.
    if (reason == SSL_ERROR_WANT_WRITE) break;
    if (reason != SSL_ERROR_WANT_READ) end_ = end_of_input(reason);
  }
  ERR_clear_error();
  if (total > 0) return IoResult::success(total);
  drop_empty_buffer();
  return end_;
}

bool TlsStream::read_some(std::span<char> room, std::size_t& got) {
  if (early_ == Early::kComing) {
    const int read = SSL_read_early_data(ssl_.get(), room.data(), room.size(), &got);
    if (read != SSL_READ_EARLY_DATA_FINISH) return read == SSL_READ_EARLY_DATA_SUCCESS;
    early_ = Early::kComplete;
  }
  const bool is_read = SSL_read_ex(ssl_.get(), room.data(), room.size(), &got) == 1;
  if (early_ != Early::kNone && SSL_is_init_finished(ssl_.get()) == 1) {
    early_ = Early::kNone;
    establish();
  }
  return is_read;
}

Stream::IoResult TlsStream::end_of_input(int reason) {
  if (reason == SSL_ERROR_ZERO_RETURN) return IoResult::success(0);
  const IoResult failure = IoResult::failure(ErrorCode::kReset);
  // What is sealed and on its way may still arrive; nothing can be sealed any more.
  if (!broken_.ready && !flushing_) broken_ = failure;
  return failure;
}

// ---- Writing.

bool TlsStream::start_write() {
  for (;;) {
    if (flushing_) return false;
    if (!broken_.ready && !encrypt()) broken_ = IoResult::failure(ErrorCode::kReset);
    if (broken_.ready) {
      set_write_result(broken_);
      return true;
    }
    if (output_.empty()) {
      set_write_result(IoResult::success(pending_->total));
      return true;
    }
    if (!flush()) return false;
  }
}

bool TlsStream::encrypt() {
  while (!pending_->empty()) {
    const std::size_t room = output_.room();
    const std::size_t size_max = room > kRecordOverhead ? std::min(kRecordMax, room - kRecordOverhead) : 0;
    if (size_max < kRecordMax && size_max < pending_->unsent() && !output_.empty()) break;
    const std::string_view record = next_record(size_max);
    limit_key_use();
    ERR_clear_error();
    std::size_t taken = 0;
    const bool written = write_some(record, taken);
    ERR_clear_error();
    if (!written) return false;
    pending_->advance(taken);
  }
  return true;
}

// Before the client's part has come: it is who it was when it got the ticket, and what leaves is for its keys alone (RFC 8446 4.4.4).
bool TlsStream::write_some(std::string_view text, std::size_t& taken) {
  if (early_ != Early::kNone) return SSL_write_early_data(ssl_.get(), text.data(), text.size(), &taken) == 1;
  return SSL_write_ex(ssl_.get(), text.data(), text.size(), &taken) == 1;
}

// Small pieces share a record: a head and its content are one for the peer. Large ones go as they lie.
std::string_view TlsStream::next_record(std::size_t size_max) const {
  static thread_local std::array<char, kRecordMax> gathered;
  const auto pieces = pending_->rest();
  const bool copies_all = pending_->unsent() <= size_max;
  const auto copies = [&](const iovec& piece) { return copies_all || piece.iov_len < kGatherMax; };
  if (pieces.size() == 1 || pieces[0].iov_len >= size_max || !copies(pieces[0])) {
    return {static_cast<const char*>(pieces[0].iov_base), std::min(pieces[0].iov_len, size_max)};
  }
  std::size_t size = 0;
  for (const iovec& piece : pieces) {
    if (!copies(piece)) break;
    const std::size_t part = std::min(piece.iov_len, size_max - size);
    std::memcpy(gathered.data() + size, piece.iov_base, part);
    size += part;
  }
  return {gathered.data(), size};
}

void TlsStream::limit_key_use() {
  if (++records_ < kRecordsPerKey) return;
  records_ = 0;
  if (SSL_version(ssl_.get()) >= TLS1_3_VERSION) SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_NOT_REQUESTED);
}

bool TlsStream::flush() {
  TlsOutput::Pieces pieces;
  flight_.assign(output_.hand_down(pieces));
  inner_->set_write_timeout(write_timeout());
  const Waiter written{[](void* self) { static_cast<TlsStream*>(self)->on_written(); }, this};
  flushing_ = !begin_inner_write(*inner_, flight_, written);
  if (!flushing_) note_written();
  return !flushing_;
}

void TlsStream::note_written() {
  flushing_ = false;
  const IoResult result = take_inner_write(*inner_);
  if (result.failed) {
    broken_ = result;
    output_.clear();
  } else {
    output_.handed_down();
  }
}

void TlsStream::on_written() {
  note_written();
  if (pending_ != nullptr && !start_write()) return;
  if (pending_ == nullptr && !output_.empty() && !flush()) return;
  const bool ends_write = pending_ != nullptr;
  const IoResult result = write_result();
  advance_shutdown();
  if (ends_write) complete_write(result);
}

// ---- Ending.

void TlsStream::shutdown_write() {
  shutdown_wanted_ = true;
  if (pending_ == nullptr) advance_shutdown();
}

void TlsStream::advance_shutdown() {
  if (!shutdown_wanted_ || flushing_) return;
  if (!shutdown_sent_ && established_ && !broken_.ready) {
    shutdown_sent_ = true;
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
    if (!output_.empty() && !flush()) return;
  }
  shutdown_wanted_ = false;
  broken_ = IoResult::failure(ErrorCode::kClosed);
  inner_->shutdown_write();
}

void TlsStream::abort(bool reset) {
  broken_ = IoResult::failure(ErrorCode::kCancelled);
  inner_->abort(reset);
}

// Peers tell an end from a cut by close_notify: as far as it can be sent without waiting, it is.
void TlsStream::retire() {
  if (inner_) {
    if (established_ && !flushing_ && !broken_.ready) {
      SSL_shutdown(ssl_.get());
      if (!output_.empty()) (void)flush();
    }
    forget_inner(*inner_);
  }
  // The session of an upstream's connection stays good for another, though its end was not waited for.
  if (established_ && !(end_.ready && end_.failed && end_.code == ErrorCode::kReset)) {
    SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  }
  ERR_clear_error();
  delete this;
}

}  // namespace rproxy::net
