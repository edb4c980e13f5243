// A client that shares no code with ours: OpenSSL's own blocking calls, on a thread of its own.
#pragma once

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <functional>
#include <stdexcept>
#include <string>
#include <thread>

#include "base/fd.h"
#include "net/tls_context.h"
#include "support/test_loop.h"
#include "x509/certificate.h"

namespace rproxy::test {

class OpensslClient {
 public:
  struct Options {
    std::string name;  // SNI; empty: none
    int version_max = 0;
    std::string signatures;  // of the certificates it takes, such as "ECDSA+SHA256"
    std::string ciphers;     // TLS 1.2
  };

  // What it learned; read after join().
  bool connected = false;
  std::string error;
  std::string presented;  // the first name of the server's certificate
  int key_type = 0;
  std::string version;

  // The server's end of the connection.
  net::StreamPtr open(net::Loop& loop) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throw std::runtime_error("socketpair");
    socket_ = Fd(ends[0]);
    ::fcntl(ends[1], F_SETFL, O_NONBLOCK);
    return net::SocketStream::adopt(loop, Side::kClient, Fd(ends[1]));
  }

  // Shakes hands, then runs `afterwards`, then closes.
  void start(Options options, std::function<void(SSL*)> afterwards = {}) {
    thread_ = std::thread([this, options = std::move(options), afterwards = std::move(afterwards)] {
      run(options, afterwards);
      socket_.reset();
    });
  }
  void join() {
    if (thread_.joinable()) thread_.join();
  }
  ~OpensslClient() { join(); }

 private:
  void run(const Options& options, const std::function<void(SSL*)>& afterwards) {
    const net::SslCtxPtr context(SSL_CTX_new(TLS_client_method()));
    if (options.version_max != 0) SSL_CTX_set_max_proto_version(context.get(), options.version_max);
    if (!options.signatures.empty()) SSL_CTX_set1_sigalgs_list(context.get(), options.signatures.c_str());
    if (!options.ciphers.empty()) SSL_CTX_set_cipher_list(context.get(), options.ciphers.c_str());
    const net::SslPtr ssl(SSL_new(context.get()));
    if (!options.name.empty()) SSL_set_tlsext_host_name(ssl.get(), options.name.c_str());
    SSL_set_fd(ssl.get(), socket_.get());
    ERR_clear_error();
    connected = SSL_connect(ssl.get()) == 1;
    if (!connected) {
      error = x509::take_openssl_reason();
      return;
    }
    X509* certificate = SSL_get1_peer_certificate(ssl.get());
    key_type = EVP_PKEY_get_base_id(X509_get0_pubkey(certificate));
    presented = x509::Certificate(x509::X509Ptr(certificate)).label();
    version = SSL_get_version(ssl.get());
    if (afterwards) afterwards(ssl.get());
  }

  Fd socket_;
  std::thread thread_;
};

}  // namespace rproxy::test
