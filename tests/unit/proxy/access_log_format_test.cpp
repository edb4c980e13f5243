// Whatever a request held, its line is one line and says what happened.
#include "proxy/access_log_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace rproxy::proxy {
namespace {

using Format = AccessLogOptions::Format;
using std::chrono::microseconds;
using testing::HasSubstr;
using testing::StartsWith;

AccessLogFormat compiled(Format format, const std::string& text = {}) {
  AccessLogOptions options;
  options.format = format;
  options.template_text = text;
  return AccessLogFormat::compile(options).value();
}

std::string line(const AccessRecord& record, Format format, const std::string& text = {}) {
  std::string out;
  compiled(format, text).append(out, record);
  return out;
}

std::string templated(const AccessRecord& record, const std::string& text) {
  return line(record, Format::kTemplate, text);
}

AccessRecord full_record() {
  AccessRecord record;
  record.time = std::chrono::system_clock::time_point(std::chrono::milliseconds(1'767'323'045'067));
  record.client = IpAddress::parse("192.0.2.7").value();
  record.client_port = 50'000;
  record.method = "GET";
  record.scheme = "https";
  record.host = "shop.com:8443";
  record.path = "/a b";
  record.query = "q=1";
  record.target = "/./a%20b?q=1";
  record.protocol = "HTTP/1.1";
  record.user_agent = "curl/8";
  record.referer = "https://shop.com/";
  record.request_id = "abc";
  record.route = "shop";
  record.upstream = "backends";
  record.endpoint = "10.0.0.1:8001";
  record.status = 200;
  record.upstream_status = 203;
  record.grpc_status = 14;
  record.bytes_received = 100;
  record.bytes_sent = 5'000'000'000;
  record.body_bytes_sent = 4'999'999'000;
  record.retries = 1;
  record.cache = "miss";
  record.termination = "ok";
  static const IpAddress local = IpAddress::parse("198.51.100.1").value();
  record.local = &local;
  record.local_port = 443;
  record.tls_client = "Ann";
  record.proxy_authority = "shop.com";
  record.proxy_alpn = "h2";
  record.proxy_unique_id = "id";
  record.duration = microseconds(1'234'567);
  record.first_byte = microseconds(1'002);
  record.connect = microseconds(30);
  record.upstream_first_byte = microseconds(0);
  record.tls_version = "TLSv1.3";
  record.tls_cipher = "TLS_AES_128_GCM_SHA256";
  record.sni = "shop.com";
  return record;
}

TEST(AccessLogJson, HoldsEveryFieldInOrder) {
  EXPECT_EQ(
      line(full_record(), Format::kJson),
      R"({"time":"2026-01-02T03:04:05.067Z","client_ip":"192.0.2.7","method":"GET","scheme":"https",)"
      R"("host":"shop.com:8443","path":"/a b","query":"q=1","protocol":"HTTP/1.1","status":200,)"
      R"("bytes_received":100,"bytes_sent":5000000000,"body_bytes_sent":4999999000,"duration_ms":1234.567,)"
      R"("first_byte_ms":1.002,"connect_ms":0.030,"upstream_first_byte_ms":0.000,"route":"shop",)"
      R"("upstream":"backends","endpoint":"10.0.0.1:8001","upstream_status":203,"grpc_status":14,"retries":1,"cache":"miss",)"
      R"("termination":"ok","request_id":"abc","user_agent":"curl/8","referer":"https://shop.com/",)"
      R"("tls_version":"TLSv1.3","tls_cipher":"TLS_AES_128_GCM_SHA256","sni":"shop.com","tls_client":"Ann",)"
      R"("local_ip":"198.51.100.1","local_port":443,"proxy_authority":"shop.com","proxy_alpn":"h2",)"
      R"("proxy_unique_id":"id"})"
      "\n");
}

TEST(AccessLogJson, LeavesOutWhatDidNotHappen) {
  AccessRecord record;
  record.time = std::chrono::system_clock::time_point{};
  record.client = IpAddress::parse("2001:db8::1").value();
  record.status = 400;
  record.termination = "bad_request";
  EXPECT_EQ(line(record, Format::kJson),
            R"({"time":"1970-01-01T00:00:00.000Z","client_ip":"2001:db8::1","status":400,"bytes_received":0,)"
            R"("bytes_sent":0,"body_bytes_sent":0,"retries":0,"termination":"bad_request"})"
            "\n");
}

// RFC 8259 7 and 8.1, RFC 3629 4.
TEST(AccessLogJson, EscapesWhatIsNoTextOfJson) {
  const std::pair<std::string, std::string> cases[] = {
      {"plain /~!", "plain /~!"},
      {"\"", R"(\")"},
      {"\\", R"(\\)"},
      {"a\"b\\c", R"(a\"b\\c)"},
      {"\n\r\t", R"(\u000a\u000d\u0009)"},
      {std::string("\0\x01\x1f", 3), R"(\u0000\u0001\u001f)"},
      {"\x7f", R"(\u007f)"},
      {"\033[31m", R"(\u001b[31m)"},
      {"\xc2\x80\xc2\x9b"
       "31m\xc2\x9f",
       R"(\u0080\u009b31m\u009f)"},  // C1: a terminal takes U+009B for ESC [
      {"\xc2\xa0", "\xc2\xa0"},
      {"b\xc3\xbc"
       "cher",
       "b\xc3\xbc"
       "cher"},
      {"\xe2\x82\xac", "\xe2\x82\xac"},
      {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
      {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
      {"\xef\xbf\xbf\xed\x9f\xbf", "\xef\xbf\xbf\xed\x9f\xbf"},
      {"\x80", R"(\ufffd)"},
      {"\xff\xfe", R"(\ufffd\ufffd)"},
      {"\xc0\x80", R"(\ufffd\ufffd)"},                      // overlong
      {"\xc1\xbf", R"(\ufffd\ufffd)"},                      // overlong
      {"\xe0\x80\x80", R"(\ufffd\ufffd\ufffd)"},            // overlong
      {"\xf0\x80\x80\x80", R"(\ufffd\ufffd\ufffd\ufffd)"},  // overlong
      {"\xed\xa0\x80", R"(\ufffd\ufffd\ufffd)"},            // a surrogate
      {"\xf4\x90\x80\x80", R"(\ufffd\ufffd\ufffd\ufffd)"},  // beyond U+10FFFF
      {"\xc3", R"(\ufffd)"},                                // cut off
      {"\xe2\x82", R"(\ufffd\ufffd)"},                      // cut off
      {"\xf0\x9f\x98", R"(\ufffd\ufffd\ufffd)"},            // cut off
      {"\xc3\"", R"(\ufffd\")"},                            // the quote is not swallowed
      {"\xe2\x82\"", R"(\ufffd\ufffd\")"},
      {"\xc3\xc3\xbc", "\\ufffd\xc3\xbc"},
  };
  for (const auto& [text, written] : cases) {
    AccessRecord record;
    record.user_agent = text;
    EXPECT_THAT(line(record, Format::kJson), HasSubstr(R"("user_agent":")" + written + "\"}\n")) << written;
  }
}

// As Apache and nginx write it: https://httpd.apache.org/docs/2.4/logs.html#combined
TEST(AccessLogCombined, IsWhatOtherToolsRead) {
  EXPECT_EQ(line(full_record(), Format::kCombined),
            "192.0.2.7 - - [02/Jan/2026:03:04:05 +0000] \"GET /./a%20b?q=1 HTTP/1.1\" 200 4999999000 "
            "\"https://shop.com/\" \"curl/8\"\n");
}

TEST(AccessLogCombined, QuotesWhatCouldBreakOut) {
  AccessRecord record = full_record();
  record.client = IpAddress::parse("2001:db8::1").value();
  record.target = "/a\"b\\c";
  record.referer = "";
  record.user_agent = "a\" 200 0 \"x\n\033[31m\xc3\xbc\x7f";
  record.body_bytes_sent = 0;
  EXPECT_EQ(line(record, Format::kCombined),
            "2001:db8::1 - - [02/Jan/2026:03:04:05 +0000] \"GET /a\\x22b\\x5cc HTTP/1.1\" 200 0 \"-\" "
            "\"a\\x22 200 0 \\x22x\\x0a\\x1b[31m\\xc3\\xbc\\x7f\"\n");
}

TEST(AccessLogTemplate, PutsInWhatItNames) {
  const AccessRecord record = full_record();
  const std::pair<const char*, const char*> cases[] = {
      {"{client_ip} {method} {uri} {status} {duration_ms}", "192.0.2.7 GET /./a%20b?q=1 200 1234.567\n"},
      {"{status}", "200\n"},
      {"{status}{status}", "200200\n"},
      {"[{client_ip}]:{client_port}", "[192.0.2.7]:50000\n"},
      {"{{status}} {status}", "{status} 200\n"},
      {"{{{status}}}", "{200}\n"},
      {"}{status}", "}200\n"},
      {"a\tb{status}", "a\tb200\n"},
      {"no field at all", "no field at all\n"},
      {"", "\n"},
  };
  for (const auto& [text, written] : cases) EXPECT_EQ(templated(record, text), written) << text;
}

TEST(AccessLogTemplate, WritesADashForWhatDidNotHappen) {
  AccessRecord record;
  EXPECT_EQ(templated(record, "{connect_ms} {upstream_status} {user_agent} {status} {retries} {first_byte_ms}"),
            "- - - 0 0 -\n");
}

TEST(AccessLogTemplate, EscapesValuesButNotItsOwnText) {
  AccessRecord record;
  record.user_agent = "a\"\\\n\xff";
  EXPECT_EQ(templated(record, "\"{user_agent}\""), "\"a\\x22\\x5c\\x0a\\xff\"\n");
}

TEST(AccessLogTemplate, RefusesWhatItDoesNotKnow) {
  const std::pair<const char*, const char*> cases[] = {
      {"{nothing}", "unknown variable {nothing}"},
      {"{}", "unknown variable {}"},
      {"{ status }", "unknown variable { status }"},
      {"{Status}", "unknown variable {Status}"},
      {"{status", "{ without }"},
      {"{", "{ without }"},
      {"{status} {", "{ without }"},
      {"{client_ip {method}", "unknown variable {client_ip {method}"},
      {"{{{", "{ without }"},
      {"{status}\n{method}", "no line breaks"},
      {"\r", "no line breaks"},
  };
  for (const auto& [text, message] : cases) {
    AccessLogOptions options;
    options.format = Format::kTemplate;
    options.template_text = text;
    const auto made = AccessLogFormat::compile(options);
    ASSERT_FALSE(made.has_value()) << text;
    EXPECT_EQ(made.error().code, ErrorCode::kConfig) << text;
    EXPECT_THAT(made.error().context, HasSubstr(message)) << text;
  }
}

TEST(AccessVariables, HaveNamesOfTheirOwnAndAreAllOfUse) {
  std::set<std::string_view> names;
  for (const AccessVariable& variable : access_variables()) {
    EXPECT_TRUE(names.insert(variable.name).second) << variable.name;
    EXPECT_FALSE(variable.meaning.empty()) << variable.name;
    EXPECT_EQ(find_access_variable(variable.name), &variable);
    const std::string text = templated(full_record(), "{" + std::string(variable.name) + "}");
    EXPECT_NE(text, "-\n") << variable.name;
    // A template and JSON tell the same.
    if (variable.in_json) {
      const auto bare = text.substr(0, text.size() - 1);
      EXPECT_THAT(line(full_record(), Format::kJson),
                  testing::AnyOf(HasSubstr("\"" + std::string(variable.name) + "\":" + bare),
                                 HasSubstr("\"" + std::string(variable.name) + "\":\"" + bare + "\"")));
    }
  }
  EXPECT_EQ(find_access_variable(""), nullptr);
  EXPECT_EQ(find_access_variable("STATUS"), nullptr);
}

TEST(AccessLog, IsOneLineWhateverARequestHolds) {
  std::string every_byte;
  for (int byte = 0; byte < 256; ++byte) every_byte += static_cast<char>(byte);
  AccessRecord record = full_record();
  for (auto* text : {&record.method, &record.scheme, &record.host, &record.path, &record.query, &record.target,
                     &record.protocol, &record.user_agent, &record.referer, &record.request_id, &record.route,
                     &record.upstream, &record.endpoint, &record.cache, &record.termination, &record.sni}) {
    *text = every_byte;
  }
  std::string all;
  for (const AccessVariable& variable : access_variables()) all += "{" + std::string(variable.name) + "} ";
  for (const std::string& out :
       {line(record, Format::kJson), line(record, Format::kCombined), templated(record, all)}) {
    EXPECT_EQ(out.find('\n'), out.size() - 1);
    for (const char c : out.substr(0, out.size() - 1)) EXPECT_FALSE((c >= 0 && c < 0x20) || c == 0x7f) << int{c};
  }
}

TEST(AccessLog, NamesAUnixPeerSo) {
  AccessRecord record = full_record();
  record.peer_unix = "unix:";
  EXPECT_THAT(line(record, Format::kJson), HasSubstr(R"("client_ip":"unix:")"));
  EXPECT_THAT(line(record, Format::kCombined), StartsWith("unix: - - ["));
}

TEST(AccessLog, TellsTheTimeOfEachRecord) {
  const std::pair<std::int64_t, const char*> cases[] = {
      {1'767'323'045'999, "2026-01-02T03:04:05.999Z\n"}, {1'767'323'046'000, "2026-01-02T03:04:06.000Z\n"},
      {1'767'323'045'001, "2026-01-02T03:04:05.001Z\n"}, {0, "1970-01-01T00:00:00.000Z\n"},
      {1'709'164'800'000, "2024-02-29T00:00:00.000Z\n"},
  };
  for (const auto& [ms, written] : cases) {
    AccessRecord record;
    record.time = std::chrono::system_clock::time_point(std::chrono::milliseconds(ms));
    EXPECT_EQ(templated(record, "{time}"), written);
  }
}

}  // namespace
}  // namespace rproxy::proxy
