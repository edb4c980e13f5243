// Every case whole, byte by byte, and split at every position; what the specification calls invalid is refused.
#include "net/proxy_protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "net/crc32c.h"

namespace rproxy::net {
namespace {

using std::string_literals::operator""s;
using testing::HasSubstr;

constexpr std::size_t kMax = 4096;
const std::string kSignature = "\r\n\r\n\0\r\nQUIT\n"s;

std::string number(std::size_t value) { return {static_cast<char>(value >> 8), static_cast<char>(value)}; }

std::string binary(char command, char family, const std::string& block) {
  return kSignature + command + family + number(block.size()) + block;
}

std::string tlv(char type, const std::string& value) { return type + number(value.size()) + value; }

const std::string kAddresses4 = "\xc0\0\2\7\xc0\0\2\x08\xc3\x50\1\xbb"s;
const std::string kAddresses6 = "\x20\1\x0d\xb8"s + std::string(11, '\0') + "\1" + "\x20\1\x0d\xb8"s +
                                std::string(11, '\0') + "\2" + "\xc3\x50\1\xbb";

std::string tcp4(const std::string& fields = {}) { return binary('\x21', '\x11', kAddresses4 + fields); }

// With its CRC32C as the last field, right or made wrong by `error`.
std::string with_checksum(const std::string& fields, std::uint32_t error = 0) {
  std::string out = tcp4(fields + tlv('\3', std::string(4, '\0')));
  const std::uint32_t sum = crc32c(out) ^ error;
  for (int i = 0; i < 4; ++i) out[out.size() - 4 + i] = static_cast<char>(sum >> (24 - 8 * i));
  return out;
}

Peer peer(const char* ip, std::uint16_t port) { return {IpAddress::parse(ip).value(), port, false}; }

ProxyHeader addresses(std::uint8_t version, const char* source, const char* destination) {
  ProxyHeader out;
  out.version = version;
  out.has_addresses = true;
  out.source = peer(source, 50'000);
  out.destination = peer(destination, 443);
  return out;
}

ProxyHeader unknown(std::uint8_t version) {
  ProxyHeader out;
  out.version = version;
  return out;
}

std::string shown(const ProxyHeader& header) {
  return header.source.ip.to_string() + " " + std::to_string(header.source.port);
}

struct Accepted {
  std::string bytes;
  ProxyHeader header;
};

std::vector<Accepted> accepted() {
  ProxyHeader unix_domain = unknown(2);
  unix_domain.has_addresses = unix_domain.source.is_unix = unix_domain.destination.is_unix = true;
  ProxyHeader zero_ports = addresses(1, "0.0.0.0", "255.255.255.255");
  zero_ports.source.port = 0;
  zero_ports.destination.port = 65535;
  const auto v4 = addresses(2, "192.0.2.7", "192.0.2.8");
  const auto v6 = addresses(2, "2001:db8::1", "2001:db8::2");
  return {
      {"PROXY TCP4 192.0.2.7 192.0.2.8 50000 443\r\n", addresses(1, "192.0.2.7", "192.0.2.8")},
      {"PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n", zero_ports},
      {"PROXY TCP6 2001:db8::1 2001:DB8::2 50000 443\r\n", addresses(1, "2001:db8::1", "2001:db8::2")},
      {"PROXY TCP6 ::ffff:192.0.2.7 2001:db8::2 50000 443\r\n", addresses(1, "192.0.2.7", "2001:db8::2")},
      {"PROXY TCP6 1111:2222:3333:4444:5555:6666:7777:8888 8888:7777:6666:5555:4444:3333:2222:1111 50000 443\r\n",
       addresses(1, "1111:2222:3333:4444:5555:6666:7777:8888", "8888:7777:6666:5555:4444:3333:2222:1111")},
      {"PROXY UNKNOWN\r\n", unknown(1)},
      {"PROXY UNKNOWN \r\n", unknown(1)},
      {"PROXY UNKNOWN whatever \1 stands here\r\n", unknown(1)},
      {"PROXY UNKNOWN " + std::string(kProxyLineMax - 16, 'f') + "\r\n", unknown(1)},
      {tcp4(), v4},
      {binary('\x21', '\x12', kAddresses4), v4},
      {binary('\x21', '\x21', kAddresses6), v6},
      {binary('\x21', '\x22', kAddresses6), v6},
      {binary('\x21', '\x31', std::string(216, 'p')), unix_domain},
      {binary('\x21', '\x32', std::string(216, '\0')), unix_domain},
      {binary('\x20', '\0', ""), unknown(2)},
      {binary('\x20', '\x11', kAddresses4), unknown(2)},
      {binary('\x20', '\xff', "anything at all"), unknown(2)},
      {binary('\x21', '\0', ""), unknown(2)},
      {binary('\x21', '\0', "anything at all"), unknown(2)},
      {binary('\x21', '\1', ""), unknown(2)},
      {binary('\x21', '\x10', "x"), unknown(2)},
      {binary('\x20', '\0', std::string(kMax - 16, 'x')), unknown(2)},
      {tcp4(tlv('\4', "") + tlv('\4', "padding") + tlv('\x30', "netns") + tlv('\xe0', "custom") + tlv('\xff', "")), v4},
      {with_checksum(tlv('\4', "\1\2\3")), v4},
  };
}

std::vector<Accepted> accepted_fields() {
  std::vector<Accepted> out;
  const auto add = [&out](const std::string& fields, const auto& change) {
    out.push_back({tcp4(fields), addresses(2, "192.0.2.7", "192.0.2.8")});
    change(out.back().header);
  };
  add(tlv('\1', "h2"), [](ProxyHeader& h) { h.alpn = "h2"; });
  add(tlv('\2', "shöp.com"), [](ProxyHeader& h) { h.authority = "shöp.com"; });
  static const std::string id(128, '\xff');
  add(tlv('\5', id), [](ProxyHeader& h) { h.unique_id = id; });
  add(tlv('\x20', "\0\0\0\0\0"s), [](ProxyHeader&) {});
  add(tlv('\x20', "\1\0\0\0\0"s + tlv('\x21', "TLSv1.3") + tlv('\x23', "AES") + tlv('\x24', "RSA-SHA256")),
      [](ProxyHeader& h) {
        h.tls = {true, false, "TLSv1.3", "AES", {}};
      });
  add(tlv('\x20', "\7\0\0\0\0"s + tlv('\x21', "TLSv1.2") + tlv('\x22', "Ann\xe9")), [](ProxyHeader& h) {
    h.tls = {true, true, "TLSv1.2", {}, "Ann\xe9"};
  });
  add(tlv('\x20', "\3\0\0\0\1"s + tlv('\x22', "forged")), [](ProxyHeader& h) {
    h.tls = {true, false, {}, {}, "forged"};
  });
  // The certificate is the client's, but no TLS is.
  add(tlv('\x20', "\2\0\0\0\0"s), [](ProxyHeader&) {});
  return out;
}

void expect_accepted(const Accepted& each) {
  const std::string behind = "GET / HTTP/1.1\r\n";
  ProxyHeader header;
  for (std::size_t size = 0; size < each.bytes.size(); ++size) {
    const auto part = parse_proxy_header(std::string_view(each.bytes).substr(0, size), kMax, header);
    ASSERT_TRUE(part.has_value()) << size << ": " << part.error().context;
    ASSERT_EQ(*part, 0u) << "complete after " << size;
  }
  for (std::size_t more = 0; more <= behind.size(); ++more) {
    const auto whole = parse_proxy_header(each.bytes + behind.substr(0, more), kMax, header);
    ASSERT_TRUE(whole.has_value()) << whole.error().context;
    EXPECT_EQ(*whole, each.bytes.size());
    EXPECT_EQ(header.has_addresses, each.header.has_addresses);
  }
  ASSERT_TRUE(parse_proxy_header(each.bytes, kMax, header).has_value());
  EXPECT_EQ(header, each.header) << shown(header) << " instead of " << shown(each.header);
}

TEST(ProxyProtocol, UnderstandsHeadersHoweverTheyArrive) {
  for (const auto& each : accepted()) {
    SCOPED_TRACE(testing::PrintToString(each.bytes));
    expect_accepted(each);
  }
}

TEST(ProxyProtocol, UnderstandsFields) {
  for (const auto& each : accepted_fields()) {
    SCOPED_TRACE(testing::PrintToString(each.bytes));
    expect_accepted(each);
  }
}

struct Refused {
  std::string bytes;
  const char* why;
};

std::vector<Refused> refused_lines() {
  const std::string too_long = "PROXY UNKNOWN " + std::string(kProxyLineMax - 15, 'f') + "\r\n";
  return {
      {"GET / HTTP/1.1\r\n", "no PROXY header"},
      {"\x16\3\1", "no PROXY header"},
      {"proxy TCP4 192.0.2.7 192.0.2.8 1 2\r\n", "no PROXY header"},
      {"PROXY\r\n", "no PROXY header"},
      {"PROXY  TCP4 192.0.2.7 192.0.2.8 1 2\r\n", "neither TCP4"},
      {"PROXY tcp4 192.0.2.7 192.0.2.8 1 2\r\n", "neither TCP4"},
      {"PROXY UDP4 192.0.2.7 192.0.2.8 1 2\r\n", "neither TCP4"},
      {"PROXY UNKNOWNS\r\n", "neither TCP4"},
      {"PROXY \r\n", "neither TCP4"},
      {"PROXY TCP4\r\n", "not two addresses"},
      {"PROXY TCP4 192.0.2.7 192.0.2.8 1\r\n", "not two addresses"},
      {"PROXY TCP4 192.0.2.7 192.0.2.8 1 2 \r\n", "not two addresses"},
      {"PROXY TCP4 192.0.2.7 192.0.2.8 1 2 3\r\n", "not two addresses"},
      {"PROXY TCP4 192.0.2.7  192.0.2.8 1\r\n", "none of its family"},
      {"PROXY TCP4\t192.0.2.7 192.0.2.8 1 2\r\n", "neither TCP4"},
      {"PROXY TCP4 192.0.2 192.0.2.8 1 2\r\n", "none of its family"},
      {"PROXY TCP4 192.0.2.256 192.0.2.8 1 2\r\n", "none of its family"},
      {"PROXY TCP4 192.0.2.07 192.0.2.8 1 2\r\n", "none of its family"},
      {"PROXY TCP4 192.0.2.7 ::1 1 2\r\n", "none of its family"},
      {"PROXY TCP4 ::1 ::1 1 2\r\n", "none of its family"},
      {"PROXY TCP6 192.0.2.7 192.0.2.8 1 2\r\n", "none of its family"},
      {"PROXY TCP6 ::1 2001:db8:::2 1 2\r\n", "none of its family"},
      {"PROXY TCP6 ::1 [::1] 1 2\r\n", "none of its family"},
      {"PROXY TCP6 fe80::1%lo ::1 1 2\r\n", "none of its family"},
      {"PROXY TCP6 1:2:3:4:5:6:7:8:9 ::1 1 2\r\n", "none of its family"},
      {"PROXY TCP4 192.0.2.7 192.0.2.8 01 2\r\n", "a port"},
      {"PROXY TCP4 192.0.2.7 192.0.2.8 1 00\r\n", "a port"},
      {"PROXY TCP4 192.0.2.7 192.0.2.8 65536 2\r\n", "a port"},
      {"PROXY TCP4 192.0.2.7 192.0.2.8 -1 2\r\n", "a port"},
      {"PROXY TCP4 192.0.2.7 192.0.2.8 +1 2\r\n", "a port"},
      {"PROXY TCP4 192.0.2.7 192.0.2.8 1 0x2\r\n", "a port"},
      {"PROXY TCP4 192.0.2.7 192.0.2.8 1 \r\n", "a port"},
      {"PROXY TCP4 192.0.2.7 192.0.2.8 1 2\n", "does not end in CRLF"},
      {"PROXY TCP4 192.0.2.7 192.0.2.8 1 2\rG", "does not end in CRLF"},
      {"PROXY UNKNOWN a\rb\r\n", "does not end in CRLF"},
      {"PROXY UNKNOWN a\nb\r\n", "does not end in CRLF"},
      {too_long, "no CRLF within 107 bytes"},
      {"PROXY TCP4 " + std::string(200, '1'), "no CRLF within 107 bytes"},
  };
}

std::vector<Refused> refused_binaries() {
  const std::string version = tlv('\x21', "TLSv1.3");
  return {
      {"\r\n\r\n\r", "no PROXY header"},
      {"\r\n\r\nGET / HTTP/1.1\r\n", "no PROXY header"},
      {binary('\x11', '\x11', kAddresses4), "of version 2"},
      {binary('\x31', '\x11', kAddresses4), "of version 2"},
      {binary('\x22', '\x11', kAddresses4), "of version 2"},
      {binary('\x2f', '\x11', kAddresses4), "of version 2"},
      {binary('\x21', '\x41', kAddresses4), "not specified"},
      {binary('\x21', '\xf0', kAddresses4), "not specified"},
      {binary('\x21', '\x13', kAddresses4), "not specified"},
      {binary('\x21', '\x0f', kAddresses4), "not specified"},
      {binary('\x21', '\x11', ""), "too short for its addresses"},
      {binary('\x21', '\x11', kAddresses4.substr(1)), "too short for its addresses"},
      {binary('\x21', '\x21', kAddresses6.substr(1)), "too short for its addresses"},
      {binary('\x21', '\x31', std::string(215, 'p')), "too short for its addresses"},
      {binary('\x20', '\0', std::string(kMax - 15, 'x')), "of at most 4096"},
      {tcp4("\4"), "goes beyond the header"},
      {tcp4("\4\0"s), "goes beyond the header"},
      {tcp4("\4\0\1"s), "goes beyond the header"},
      {tcp4("\4\xff\xff" + std::string(100, 'x')), "goes beyond the header"},
      {tcp4(tlv('\4', "xx") + "\4\0\2x"s), "goes beyond the header"},
      {tcp4(tlv('\2', "a\xff")), "not UTF-8"},
      {tcp4(tlv('\5', std::string(129, 'x'))), "too long"},
      {tcp4(tlv('\2', "a") + tlv('\2', "b")), "there twice"},
      {tcp4(tlv('\5', "a") + tlv('\5', "a")), "there twice"},
      {tcp4(tlv('\3', "\0\0\0"s)), "wrong size"},
      {tcp4(tlv('\3', "\0\0\0\0\0"s)), "wrong size"},
      {with_checksum("", 1), "not the header's"},
      {with_checksum(tlv('\4', "x"), 0x80000000), "not the header's"},
      {with_checksum(tlv('\3', "\0\0\0\0"s)), "not the header's"},
      {tcp4(tlv('\x20', "")), "too short"},
      {tcp4(tlv('\x20', "\1\0\0\0"s)), "too short"},
      {tcp4(tlv('\x20', "\1\0\0\0\0\x21"s)), "goes beyond it"},
      {tcp4(tlv('\x20', "\1\0\0\0\0"s + version.substr(0, version.size() - 1))), "goes beyond it"},
      {tcp4(tlv('\x20', "\1\0\0\0\0"s + tlv('\x21', "TLS\n"))), "not ASCII"},
      {tcp4(tlv('\x20', "\1\0\0\0\0"s + tlv('\x23', "\xc3\xa4"))), "not ASCII"},
  };
}

TEST(ProxyProtocol, RefusesWhatIsNoHeader) {
  auto cases = refused_lines();
  for (auto& each : refused_binaries()) cases.push_back(std::move(each));
  for (const auto& each : cases) {
    SCOPED_TRACE(testing::PrintToString(each.bytes));
    ProxyHeader header;
    const auto whole = parse_proxy_header(each.bytes, kMax, header);
    ASSERT_FALSE(whole.has_value());
    EXPECT_EQ(whole.error().code, ErrorCode::kBadRequest);
    EXPECT_THAT(whole.error().context, HasSubstr(each.why));
    // Never taken for a header on the way there, and refused again with more behind it.
    for (std::size_t size = 0; size < each.bytes.size(); ++size) {
      const auto part = parse_proxy_header(std::string_view(each.bytes).substr(0, size), kMax, header);
      EXPECT_TRUE(!part || *part == 0) << size;
    }
    EXPECT_FALSE(parse_proxy_header(each.bytes + "GET / HTTP/1.1\r\n", kMax, header).has_value());
  }
}

TEST(ProxyProtocol, RefusesAsSoonAsItIsCertain) {
  ProxyHeader header;
  EXPECT_FALSE(parse_proxy_header("G", kMax, header).has_value());
  EXPECT_FALSE(parse_proxy_header("PRI * HTTP/2.0", kMax, header).has_value());
  EXPECT_FALSE(parse_proxy_header(kSignature + "\x10", kMax, header).has_value());
  // By the length that is told, before it has come.
  EXPECT_FALSE(parse_proxy_header(kSignature + "\x20\0\xff\xff"s, kMax, header).has_value());
  EXPECT_TRUE(parse_proxy_header(kSignature + "\x20\0\xff\xff"s, kProxyBinaryMax, header).has_value());
}

TEST(ProxyProtocol, NothingOfAnEarlierHeaderStays) {
  ProxyHeader header;
  ASSERT_TRUE(parse_proxy_header(tcp4(tlv('\2', "a")), kMax, header).has_value());
  ASSERT_TRUE(parse_proxy_header("PROXY UNKNOWN\r\n", kMax, header).has_value());
  EXPECT_EQ(header, unknown(1));
}

TEST(ProxyProtocol, WritesTheLinesOfVersion1) {
  EXPECT_EQ(write_proxy_header(addresses(1, "192.0.2.7", "192.0.2.8")), "PROXY TCP4 192.0.2.7 192.0.2.8 50000 443\r\n");
  EXPECT_EQ(write_proxy_header(addresses(1, "2001:db8::1", "2001:db8::2")),
            "PROXY TCP6 2001:db8::1 2001:db8::2 50000 443\r\n");
  EXPECT_EQ(write_proxy_header(addresses(1, "192.0.2.7", "2001:db8::2")),
            "PROXY TCP6 ::ffff:192.0.2.7 2001:db8::2 50000 443\r\n");
  EXPECT_EQ(write_proxy_header(unknown(1)), "PROXY UNKNOWN\r\n");
  auto from_unix = addresses(1, "192.0.2.7", "192.0.2.8");
  from_unix.source.is_unix = true;
  EXPECT_EQ(write_proxy_header(from_unix), "PROXY UNKNOWN\r\n");
}

TEST(ProxyProtocol, WritesTheBytesOfVersion2) {
  EXPECT_EQ(write_proxy_header(addresses(2, "192.0.2.7", "192.0.2.8")), tcp4());
  EXPECT_EQ(write_proxy_header(addresses(2, "2001:db8::1", "2001:db8::2")), binary('\x21', '\x21', kAddresses6));
  EXPECT_EQ(write_proxy_header(unknown(2)), binary('\x20', '\0', ""));
}

TEST(ProxyProtocol, UnderstandsWhatItWrites) {
  auto header = addresses(2, "192.0.2.7", "2001:db8::2");
  header.alpn = "http/1.1";
  header.authority = "shop.com";
  header.unique_id = std::string_view("\0\1\xff", 3);
  header.tls = {true, true, "TLSv1.3", "TLS_AES_128_GCM_SHA256", "Ann"};
  for (const bool is_verified : {true, false}) {
    header.tls.is_verified = is_verified;
    const std::string bytes = write_proxy_header(header);
    ProxyHeader got;
    ASSERT_EQ(parse_proxy_header(bytes, kMax, got), bytes.size());
    EXPECT_EQ(got, header);
  }
}

TEST(ProxyProtocol, WritesNothingThatCouldNotBeParsed) {
  auto header = addresses(2, "192.0.2.7", "192.0.2.8");
  const std::string long_text(70'000, 'x');
  header.alpn = header.authority = header.unique_id = long_text;
  header.tls = {true, false, long_text, long_text, long_text};
  const std::string bytes = write_proxy_header(header);
  ProxyHeader got;
  ASSERT_EQ(parse_proxy_header(bytes, kMax, got), bytes.size());
  EXPECT_TRUE(got.tls.used);
  EXPECT_EQ(got.authority, "");
}

TEST(Crc32c, IsTheOneOfRfc3720) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c("6789", crc32c("12345")), 0xe3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);
}

}  // namespace
}  // namespace rproxy::net
