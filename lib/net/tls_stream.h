// TLS over another stream. OpenSSL reads straight from that stream's input and writes into pooled buffers, so that several records leave
// in one system call; an idle connection holds neither.
//
// Reading tells an end from a cut: fill() gives 0 after close_notify, and kClosed where the connection ended without one (RFC 8446 6.1).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/result.h"
#include "net/stream.h"
#include "net/task.h"
#include "net/tls_context.h"
#include "net/tls_output.h"

namespace rproxy::net {

class TlsStream final : public Stream {
 public:
  using Ptr = std::unique_ptr<TlsStream, Deleter>;

  // `context` outlives the stream.
  static Ptr accept(StreamPtr inner, TlsServerContext& context);
  static Ptr connect(StreamPtr inner, TlsClientContext& context, std::string_view server_name);

  // Before anything else. `timeout` is for all of it; 0: no limit. Errors: kHandshakeTimeout, kTlsHandshake and kTlsVerify (why is in the
  // context), kClosed, kReset; kBadRequest where the client speaks plain HTTP, after which release_inner() gives the connection back
  // with its input untouched.
  Task<Result<void>> handshake(Duration timeout);
  StreamPtr release_inner() { return std::move(inner_); }

  // After the handshake.
  std::string_view version() const { return SSL_get_version(ssl_.get()); }  // "TLSv1.3"
  std::string_view cipher() const { return SSL_get_cipher_name(ssl_.get()); }
  std::string_view alpn() const;         // "http/1.1"; empty: none agreed upon
  std::string_view server_name() const;  // the host name the client asked for; empty where it did not
  bool is_resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
  bool is_validation() const { return TlsServerContext::is_for_validation(ssl_.get()); }
  // The other side's own, which has been verified where that is asked for; nothing: it has shown none.
  std::optional<x509::Certificate> peer_certificate() const;

  void shutdown_write() override;
  void abort(bool reset) override;
  bool is_early() const override { return early_ != Early::kNone; }
  bool has_peer_ended() const override { return end_.ready || inner_->has_peer_ended(); }

 private:
  TlsStream(StreamPtr inner, SslPtr ssl);
  ~TlsStream() override = default;
  void retire() override;

  void start_read() override;
  bool start_write() override;
  void arm_write_deadline() override {}

  // ---- What OpenSSL calls: tls_stream_bio.cpp.
  static BIO_METHOD* bio_method();
  static int bio_read(BIO* bio, char* out, int size);
  static int bio_write(BIO* bio, const char* data, int size);
  static long bio_control(BIO* bio, int command, long number, void* pointer);
  static void on_message(int write, int version, int type, const void* data, std::size_t size, SSL* ssl, void* self);

  // ---- The handshake: tls_stream_handshake.cpp.
  struct HandshakeDeadline;
  Task<Result<void>> shake_hands();
  // True: some has come, and the handshake goes on beside it. False: there is none.
  Task<Result<bool>> take_early_data();
  Task<Result<void>> send_output();
  Task<void> wait_for_certificate();
  void establish();
  // Waits for input where there is none.
  Task<Result<void>> receive();
  Result<void> check_verifiable() const;
  bool is_plain_http() const;
  Error handshake_error(int reason) const;
  static Error closed_error(Error error);

  // ---- Afterwards.
  void on_filled();
  void on_written();
  // What has arrived, as far as there is room; not ready where that was nothing.
  IoResult decrypt();
  // As SSL_read_ex() and SSL_write_ex(), whatever state the handshake is in.
  bool read_some(std::span<char> room, std::size_t& got);
  bool write_some(std::string_view text, std::size_t& taken);
  IoResult end_of_input(int reason);
  // pending_ to records, as far as there is room; false: broken.
  bool encrypt();
  std::string_view next_record(std::size_t size_max) const;
  void limit_key_use();
  // Hands down what there is. True when all of it went, or failed (broken_), at once.
  bool flush();
  void note_written();
  // close_notify, once nothing is on its way; then the end of the stream below.
  void advance_shutdown();

  StreamPtr inner_;
  SslPtr ssl_;
  TlsOutput output_;
  Pending flight_;                              // of output_, while flushing_
  TlsClientContext::Server* server_ = nullptr;  // where this is the client's side
  TlsServerContext* context_ = nullptr;         // where it is the server's
  IoResult end_;                                // how the input ended, once it has
  IoResult broken_;                             // why nothing more can be written
  std::uint32_t records_ = 0;                   // under the present keys
  std::uint8_t messages_ = 0;                   // handshake messages and alerts since the last content
  // Early data is coming; it has come, and the client's part of the handshake is awaited.
  enum class Early : std::uint8_t { kNone, kComing, kComplete };
  Early early_ = Early::kNone;
  bool flushing_ = false;
  bool established_ = false;
  bool shutdown_wanted_ = false;
  bool shutdown_sent_ = false;
};

}  // namespace rproxy::net
