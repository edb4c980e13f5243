// A whole scan of OpenSSL's own server, on this machine; and what is left of one that is cut short.
#include "scan/scanner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <thread>

#include "base/fd.h"
#include "net/tls_context.h"
#include "scan/cipher.h"
#include "scan/run_within.h"
#include "scan/tls_client.h"
#include "support/test_certificates.h"
#include "x509/certified_key.h"

namespace rproxy::scan {
namespace {

using testing::ElementsAre;

// One connection after the other, on a thread of its own.
class Server {
 public:
  explicit Server(SSL_CTX* context) : context_(context), listening_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(listening_.get(), reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listening_.get(), 64);
    ::getsockname(listening_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~Server() {
    ::shutdown(listening_.get(), SHUT_RDWR);
    thread_.join();
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  Target target() const {
    Target target;
    target.address = *net::to_socket_address(*HostPort::parse("127.0.0.1:" + std::to_string(port_)));
    target.label = "127.0.0.1";
    target.server_name = "shop.com";
    target.timeout = Duration{2'000};
    return target;
  }

 private:
  static void answer(SSL* ssl) {
    char request[1024];
    if (SSL_read(ssl, request, sizeof request) > 0) {
      constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nStrict-Transport-Security: max-age=31536000\r\n\r\n";
      SSL_write(ssl, kAnswer.data(), static_cast<int>(kAnswer.size()));
    }
    // Else OpenSSL forgets the session.
    SSL_shutdown(ssl);
  }

  void run() {
    for (;;) {
      const Fd connection(::accept(listening_.get(), nullptr, nullptr));
      if (!connection) return;
      const timeval longest{1, 0};
      ::setsockopt(connection.get(), SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
      const net::SslPtr ssl(SSL_new(context_));
      SSL_set_fd(ssl.get(), connection.get());
      if (SSL_accept(ssl.get()) == 1) answer(ssl.get());
      ERR_clear_error();
    }
  }

  SSL_CTX* context_;
  Fd listening_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

class Scan : public testing::Test {
 protected:
  static void SetUpTestSuite() { ::signal(SIGPIPE, SIG_IGN); }

  Scan() : context_(SSL_CTX_new(TLS_server_method())) {
    const test::PemPair made = authority_.issue({{"DNS:shop.com"}});
    const auto key = x509::CertifiedKey::parse(made.cert, made.key, "cert", "key");
    SSL_CTX_use_certificate(context_.get(), key->leaf().native());
    SSL_CTX_use_PrivateKey(context_.get(), key->key());
    SSL_CTX_set_cipher_list(context_.get(), "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256");
    SSL_CTX_set_ciphersuites(context_.get(), "TLS_AES_256_GCM_SHA384");
    SSL_CTX_set1_groups_list(context_.get(), "X25519:P-256");
    SSL_CTX_set_options(context_.get(), SSL_OP_CIPHER_SERVER_PREFERENCE);
    static constexpr unsigned char kSession[] = "x";
    SSL_CTX_set_session_id_context(context_.get(), kSession, 1);
    SSL_CTX_set_alpn_select_cb(context_.get(), choose, nullptr);
  }

  static int choose(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* offered, unsigned all,
                    void*) {
    static constexpr unsigned char kKnown[] = "\x08http/1.1";
    unsigned char* chosen = nullptr;
    const int done = SSL_select_next_proto(&chosen, size, kKnown, sizeof kKnown - 1, offered, all);
    *out = chosen;
    return done == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
  }

  test::TestAuthority authority_;
  net::SslCtxPtr context_;
  net::Loop loop_{std::size_t{32} * 1024};
};

TEST_F(Scan, FindsAllOfIt) {
  SSL_CTX_set_max_early_data(context_.get(), 1000);
  const Server server(context_.get());
  const Target target = server.target();
  Scanner scanner(loop_, target, nullptr, std::chrono::system_clock::now());
  ASSERT_TRUE(run_within(loop_, Duration{20'000}, scanner.run()));
  const Report& report = scanner.report();
  EXPECT_TRUE(report.problems.empty()) << testing::PrintToString(report.problems);
  ASSERT_NE(report.find(kTls13), nullptr);
  EXPECT_THAT(report.find(kTls13)->ciphers, ElementsAre(0x1302));
  ASSERT_NE(report.find(kTls12), nullptr);
  EXPECT_THAT(report.find(kTls12)->ciphers, ElementsAre(0xc02c, 0xc02b));
  EXPECT_TRUE(report.find(kTls12)->prefers_own);
  EXPECT_THAT(report.groups, ElementsAre(0x001d, 0x0017));
  EXPECT_THAT(report.alpn, ElementsAre("http/1.1"));
  EXPECT_EQ(report.compression, false);
  EXPECT_EQ(report.renegotiation, true);
  EXPECT_EQ(report.master_secret, true);
  EXPECT_EQ(report.fallback, true);
  EXPECT_EQ(report.resumption.tls13, true);
  EXPECT_EQ(report.resumption.tls12_ticket, true);
  EXPECT_EQ(report.resumption.tls12_id, true);
  EXPECT_EQ(report.early_data_max, 1000U);
  EXPECT_EQ(report.hsts, "max-age=31536000");
  ASSERT_EQ(report.chain.size(), 1U);
  EXPECT_EQ(report.chain.front().label(), "shop.com");
}

TEST_F(Scan, LeavesNothingBehindWhereverItIsCutShort) {
  const Server server(context_.get());
  const Target target = server.target();
  for (int milliseconds = 1; milliseconds < 40; milliseconds += 3) {
    Scanner scanner(loop_, target, nullptr, std::chrono::system_clock::now());
    (void)run_within(loop_, Duration{milliseconds}, scanner.run());
    (void)grade(scanner.report());
  }
}

TEST_F(Scan, OfNobodySaysSo) {
  Target target;
  {
    const Server server(context_.get());
    target = server.target();
  }
  Scanner scanner(loop_, target, nullptr, std::chrono::system_clock::now());
  ASSERT_TRUE(run_within(loop_, Duration{5'000}, scanner.run()));
  EXPECT_TRUE(scanner.report().protocols.empty());
  EXPECT_THAT(scanner.report().problems, ElementsAre("can't be asked: connect refused: Connection refused"));
}

}  // namespace
}  // namespace rproxy::scan
