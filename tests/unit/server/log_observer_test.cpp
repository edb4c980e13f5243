// From an exchange to its line.
#include "server/log_observer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "support/temporary_directory.h"

namespace rproxy::server {
namespace {

struct Fixture {
  Fixture() {
    client.peer.ip = request.client_ip = IpAddress::parse("192.0.2.7").value();
    client.peer.port = 50'000;
    client.tls_version = "TLSv1.3";
    client.tls_cipher = "AES";
    client.server_name = "sni.example";
    request.client = &client;
    request.head.method = "POST";
    request.head.scheme = "https";
    request.head.target = "/./a?b";
    request.head.path = "/rewritten";
    request.head.authority = "inside:1";
    request.head.query = "b";
    request.head.version = http::Version::kHttp11;
    request.head.fields.add("User-Agent", "curl");
    request.head.fields.add("Referer", "ref");
    request.client_path = "/a";
    request.client_authority = "shop.com";
    request.trace.route = "r";
    request.trace.upstream = "u";
    request.trace.endpoint = "e";
    request.trace.cache = "hit";
    request.trace.request_id = "id";
    request.trace.retries = 2;
    request.trace.upstream_status = 502;
    request.trace.connect = std::chrono::microseconds(1'000);
    request.trace.first_byte = std::chrono::microseconds(3'000);
    request.trace.upstream_first_byte = std::chrono::microseconds(2'000);
    request.trace.start = Clock::now();
    outcome = {200, 11, 22, 33, "client_closed"};
  }
  std::string line(const std::string& text) const {
    const test::TemporaryDirectory files;
    proxy::AccessLogOptions options;
    options.target = proxy::AccessLogOptions::Target::kFile;
    options.path = files.path("log");
    options.format = proxy::AccessLogOptions::Format::kTemplate;
    options.template_text = text;
    {
      const auto writer = std::move(proxy::AccessLogWriter::open(options)).value();
      LogObserver observer(*writer);
      observer.finished(request, outcome);
    }
    std::ifstream file(options.path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  exchange::Client client;
  exchange::Request request;
  exchange::Outcome outcome;
};

TEST(LogObserver, TellsWhatTheClientAskedAndGot) {
  const Fixture f;
  EXPECT_EQ(f.line("{client_ip} {client_port} {method} {scheme} {host} {path} {query} {uri} {protocol}"),
            "192.0.2.7 50000 POST https shop.com /a b /./a?b HTTP/1.1\n");
  EXPECT_EQ(f.line("{status} {bytes_received} {bytes_sent} {body_bytes_sent} {termination}"),
            "200 11 22 33 client_closed\n");
  EXPECT_EQ(f.line("{user_agent} {referer} {request_id} {tls_version} {tls_cipher} {sni}"),
            "curl ref id TLSv1.3 AES sni.example\n");
  EXPECT_EQ(f.line("{route} {upstream} {endpoint} {upstream_status} {retries} {cache}"), "r u e 502 2 hit\n");
  EXPECT_EQ(f.line("{connect_ms} {first_byte_ms} {upstream_first_byte_ms}"), "1.000 3.000 2.000\n");
}

TEST(LogObserver, TellsTheStatusOfAGrpcCall) {
  Fixture f;
  EXPECT_EQ(f.line("{grpc_status}"), "-\n");
  f.request.trace.grpc_status = 0;
  EXPECT_EQ(f.line("{grpc_status}"), "0\n");
  f.request.trace.grpc_status = -1;
  f.outcome.status = 499;
  EXPECT_EQ(f.line("{grpc_status}"), "-\n");
  f.request.head.fields.add("Content-Type", "application/grpc");
  EXPECT_EQ(f.line("{grpc_status}"), "1\n");
}

TEST(LogObserver, NamesAClientBehindAUnixSocketWhereAProxyTold) {
  Fixture f;
  f.client.peer = {};
  f.client.peer.is_unix = true;
  f.request.client_ip = f.client.peer.ip;
  EXPECT_EQ(f.line("{client_ip}"), "unix:\n");
  f.request.client_ip = IpAddress::parse("203.0.113.9").value();
  EXPECT_EQ(f.line("{client_ip}"), "203.0.113.9\n");
}

TEST(LogObserver, TellsWhatAProxyHeaderSays) {
  Fixture f;
  constexpr const char* kAll = "{local_ip} {local_port} {tls_client} {proxy_authority} {proxy_alpn} {proxy_unique_id}";
  EXPECT_EQ(f.line(kAll), "- - - - - -\n");
  net::ProxyHeader header;
  header.authority = "shop.com";
  header.alpn = "h2";
  header.unique_id = "7f";
  header.tls = {true, true, "TLSv1.3", "AES", "Ann"};
  f.client.proxy_header = &header;
  f.client.local = {IpAddress::parse("198.51.100.1").value(), 443, false};
  EXPECT_EQ(f.line(kAll), "198.51.100.1 443 Ann shop.com h2 7f\n");
  header.tls.is_verified = false;
  EXPECT_EQ(f.line("{tls_client}"), "-\n");
}

}  // namespace
}  // namespace rproxy::server
