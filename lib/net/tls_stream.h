// TLS over another stream. OpenSSL reads from that stream's input and writes into one output buffer, so that several records leave in one
// system call; an idle connection holds neither.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "net/stream.h"
#include "net/task.h"
#include "net/tls_context.h"

namespace rproxy::net {

class TlsStream final : public Stream {
 public:
  using Ptr = std::unique_ptr<TlsStream, Deleter>;

  static Ptr accept(StreamPtr inner, TlsServerContext& context);
  // `context` outlives the stream.
  static Ptr connect(StreamPtr inner, TlsClientContext& context, const std::string& server_name);

  // Before anything else. `timeout` is for all of it. Errors: kHandshakeTimeout, kTlsHandshake, kTlsVerify (why is in the context), kClosed,
  // kReset; kBadRequest where the client speaks plain HTTP, after which release_inner() gives the connection back, its input unread.
  Task<Result<void>> handshake(Duration timeout);
  StreamPtr release_inner() { return std::move(inner_); }

  std::string_view version() const { return SSL_get_version(ssl_.get()); }  // "TLSv1.3"
  std::string_view cipher() const { return SSL_get_cipher_name(ssl_.get()); }
  std::string_view server_name() const;  // what the client asked for; empty where it did not
  bool is_resumed() const { return SSL_session_reused(ssl_.get()) == 1; }

  void shutdown_write() override;
  void abort(bool reset) override;

 private:
  TlsStream(StreamPtr inner, SslPtr ssl);
  ~TlsStream() override;
  void retire() override;

  void start_read() override;
  bool start_write() override;
  // The stream below watches over progress.
  void arm_write_deadline() override {}

  // OpenSSL's side.
  static BIO_METHOD* bio_method();
  static int bio_read(BIO* bio, char* out, int size);
  static int bio_write(BIO* bio, const char* data, int size);
  static long bio_control(BIO* bio, int command, long, void*);
  static int on_new_session(SSL* ssl, SSL_SESSION* session);

  // What is encrypted and not yet handed down.
  bool has_output() const { return out_end_ > out_begin_; }
  void drop_empty_output();
  // Hands the output down: true when all of it went, or failed, at once.
  bool flush();
  bool encrypt_pending();
  void on_inner_read();
  void on_inner_written();
  IoResult decrypt();
  Error handshake_error(int ssl_error) const;

  StreamPtr inner_;
  SslPtr ssl_;
  Buffer out_;
  std::uint32_t out_begin_ = 0;
  std::uint32_t out_end_ = 0;
  Pending flushing_;
  TlsClientContext* client_ = nullptr;
  std::string client_name_;
  int flush_error_ = 0;
  ErrorCode flush_failure_ = ErrorCode::kInternal;
  bool is_flushing_ = false;
  bool flush_failed_ = false;
  bool inner_ended_ = false;
  bool shutdown_wanted_ = false;
  bool established_ = false;
};

}  // namespace rproxy::net
