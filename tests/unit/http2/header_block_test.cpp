#include "http2/header_block.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace rproxy::http2 {
namespace {

using Lines = std::vector<std::pair<std::string, std::string>>;

const http::HeadLimits kLimits{ByteSize{1024}, ByteSize{64}, 6};
const http::PathPolicy kPaths;

std::string show(const http::BodyLength& body) {
  switch (body.kind) {
    case http::BodyLength::Kind::kNone:
      return "none";
    case http::BodyLength::Kind::kFixed:
      return std::to_string(body.bytes);
    case http::BodyLength::Kind::kChunked:
      return "to the end";
    case http::BodyLength::Kind::kUntilClose:
      return "until close";
  }
  return "";
}

std::string show(const http::Fields& fields) {
  std::string out;
  for (const http::Field& field : fields) out += fmt::format(" {}={};", field.name, field.value);
  return out;
}

std::string show(const Error& error) {
  return fmt::format("{} of {}: {}", to_string(error.code), error.side == Side::kClient ? "client" : "upstream",
                     error.context);
}

// What becomes of a request's header section.
std::string read_request(const Lines& lines, bool has_content = false) {
  http::RequestHead head;
  Arena arena;
  HeaderBlock block;
  block.start(head.fields, arena, kLimits);
  for (const auto& [name, value] : lines) {
    if (!block.add(name, value)) return "absurd";
  }
  if (auto done = block.finish_request(head, kPaths, has_content); !done) return show(done.error());
  return fmt::format("{} {} {}{}{} {}{}{};{}", head.method, head.authority, head.path, head.has_query ? "?" : "",
                     head.query, show(head.body), head.upgrade ? " upgrade" : "", head.expect_continue ? " expect" : "",
                     show(head.fields));
}

Lines get(const Lines& more = {}) {
  Lines lines{{":method", "GET"}, {":scheme", "https"}, {":authority", "a.b"}, {":path", "/"}};
  lines.insert(lines.end(), more.begin(), more.end());
  return lines;
}

Lines to(const std::string& method, const std::string& path) {
  return {{":method", method}, {":scheme", "https"}, {":authority", "a.b"}, {":path", path}};
}

struct Case {
  Lines lines;
  bool has_content;
  const char* outcome;
};

void check(const std::vector<Case>& cases) {
  for (std::size_t i = 0; i < cases.size(); ++i) {
    EXPECT_EQ(read_request(cases[i].lines, cases[i].has_content), cases[i].outcome) << "case " << i;
  }
}

// RFC 9113 8.3.1.
TEST(HeaderBlock, MakesARequestOfPseudoHeaders) {
  check({
      {get(), false, "GET a.b / none;"},
      {to("GET", "/x/../y?q=1?2"), false, "GET a.b /y?q=1?2 none;"},
      {to("GET", "/?"), false, "GET a.b /? none;"},
      {to("OPTIONS", "*"), false, "OPTIONS a.b * none;"},
      {to("PURGE", "/"), false, "PURGE a.b / none;"},
      // The scheme is what the listener knows, not what is said.
      {{{":method", "GET"}, {":scheme", "gopher"}, {":authority", "a.b"}, {":path", "/"}}, false, "GET a.b / none;"},
      {to("GET", "*"), false, "bad_request of client: target * is for OPTIONS"},
      {to("GET", ""), false, "bad_request of client: invalid :path"},
      {to("GET", "x"), false, "bad_request of client: invalid :path"},
      {to("GET", "http://other/"), false, "bad_request of client: invalid :path"},
      {to("GET", "/a b"), false, "bad_request of client: invalid path"},
      {to("GET", "/?a b"), false, "bad_request of client: invalid character in the query"},
      {to("G T", "/"), false, "bad_request of client: invalid method"},
      {to("", "/"), false, "bad_request of client: invalid method"},
      {to(std::string(32, 'M'), "/"), false, "MMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMM a.b / none;"},
      {to(std::string(33, 'M'), "/"), false, "method_unsupported of client: method too long"},
      {to("GET", "/" + std::string(64, 'x')), false, "uri_too_long of client: request target too long"},
  });
}

// RFC 9113 8.3.1: one authority, however it is told.
TEST(HeaderBlock, TakesTheAuthorityFromOnePlace) {
  const auto with_host = [](const Lines& hosts) {
    Lines lines{{":method", "GET"}, {":scheme", "https"}, {":path", "/"}};
    lines.insert(lines.end(), hosts.begin(), hosts.end());
    return lines;
  };
  check({
      {with_host({{"host", "c.d:8"}}), false, "GET c.d:8 / none;"},
      {get({{"host", "a.b"}}), false, "GET a.b / none;"},
      {get({{"host", "A.B"}}), false, "GET a.b / none;"},
      {get({{"host", "a.b:443"}}), false, "bad_request of client: Host differs from :authority"},
      {get({{"host", "evil"}}), false, "bad_request of client: Host differs from :authority"},
      {get({{"host", ""}}), false, "bad_request of client: Host differs from :authority"},
      {get({{"host", "a.b"}, {"host", "a.b"}}), false, "bad_request of client: repeated Host"},
      {with_host({{"host", ""}}), false, "bad_request of client: invalid host"},
      {with_host({}), false, "bad_request of client: invalid host"},
      {with_host({{"host", "user@a.b"}}), false, "bad_request of client: invalid host"},
  });
}

TEST(HeaderBlock, TellsHowLongTheContentIs) {
  check({
      {get({{"content-length", "7"}}), true, "GET a.b / 7; Content-Length=7;"},
      {get({{"content-length", "0"}}), true, "GET a.b / 0; Content-Length=0;"},
      {get({{"content-length", "0"}}), false, "GET a.b / none; Content-Length=0;"},
      {get(), true, "GET a.b / to the end;"},
      {get({{"expect", "100-continue"}}), true, "GET a.b / to the end expect; Expect=100-continue;"},
      {get({{"expect", "100-Continue"}}), true, "GET a.b / to the end expect; Expect=100-Continue;"},
      {get({{"expect", "200-ok"}}), true, "expectation_failed of client: unknown expectation"},
      {get({{"expect", "100-continue"}, {"expect", "100-continue"}}), true,
       "expectation_failed of client: unknown expectation"},
  });
}

// RFC 9113 8.2.3.
TEST(HeaderBlock, JoinsTheCrumbsOfACookieInOrder) {
  check({
      {get({{"cookie", "a=1"}}), false, "GET a.b / none; Cookie=a=1;"},
      {get({{"cookie", "a=1"}, {"x", "y"}, {"cookie", "b=2"}, {"z", "w"}, {"cookie", "c=3; d=4"}}), false,
       "GET a.b / none; Cookie=a=1; b=2; c=3; d=4; x=y; z=w;"},
      {get({{"cookie", "1"},
            {"cookie", "2"},
            {"cookie", "3"},
            {"cookie", "4"},
            {"cookie", "5"},
            {"cookie", "6"},
            {"cookie", "7"},
            {"cookie", "8"}}),
       false, "GET a.b / none; Cookie=1; 2; 3; 4; 5; 6; 7; 8;"},
  });
}

TEST(HeaderBlock, JoinsEmptyCrumbsToo) {
  EXPECT_EQ(read_request(get({{"cookie", ""}, {"cookie", "b=2"}, {"cookie", ""}})), "GET a.b / none; Cookie=; b=2; ;");
}

// RFC 8441: as HTTP/1.1 says it. Plain CONNECT is for forward proxies.
TEST(HeaderBlock, TurnsAnExtendedConnectIntoAnUpgrade) {
  const auto connect = [](const std::string& protocol, const Lines& more = {}) {
    Lines lines = to("CONNECT", "/chat?x");
    if (!protocol.empty()) lines.emplace_back(":protocol", protocol);
    lines.insert(lines.end(), more.begin(), more.end());
    return lines;
  };
  check({
      {connect("websocket"), true, "GET a.b /chat?x none upgrade; Upgrade=websocket;"},
      {connect("WebSocket", {{"content-length", "5"}}), true, "GET a.b /chat?x none upgrade; Upgrade=websocket;"},
      {connect("connect-udp"), true, "method_unsupported of client: unknown :protocol"},
      {connect(""), true, "method_unsupported of client: CONNECT"},
      {{{":method", "CONNECT"}, {":authority", "a.b:443"}}, true, "method_unsupported of client: CONNECT"},
  });
}

TEST(HeaderBlock, RefusesWhatIsOverItsLimits) {
  const std::string too_large = "head_too_large of client: headers too large";
  Lines six = get();
  for (int i = 0; i < 6; ++i) six.emplace_back("x", "y");
  EXPECT_EQ(read_request(six), "GET a.b / none; x=y; x=y; x=y; x=y; x=y; x=y;");
  Lines seven = six;
  seven.emplace_back("x", "y");
  EXPECT_EQ(read_request(seven), too_large);
  // A first cookie is a field like any other.
  seven.back() = {"cookie", "y"};
  EXPECT_EQ(read_request(seven), too_large);

  const std::size_t lines = (7 + 3 + 32) + (7 + 5 + 32) + (10 + 3 + 32) + (5 + 1 + 32) + (1 + 32);
  EXPECT_EQ(read_request(get({{"x", std::string(1024 - lines, 'v')}})).substr(0, 17), "GET a.b / none; x");
  EXPECT_EQ(read_request(get({{"x", std::string(1024 - lines + 1, 'v')}})), too_large);
  EXPECT_EQ(read_request(get({{"x", std::string(4 * 1024 - lines, 'v')}})), too_large);
  EXPECT_EQ(read_request(get({{"x", std::string(4 * 1024 - lines + 1, 'v')}})), "absurd");
}

// What came is told, so that the access log can.
TEST(HeaderBlock, KeepsWhatItRefuses) {
  http::RequestHead head;
  Arena arena;
  HeaderBlock block;
  block.start(head.fields, arena, kLimits);
  for (const auto& [name, value] : to("GET", "nonsense")) block.add(name, value);
  EXPECT_FALSE(block.finish_request(head, kPaths, false));
  EXPECT_EQ(head.method, "GET");
  EXPECT_EQ(head.target, "nonsense");
  EXPECT_EQ(head.version, http::Version::kHttp2);
}

TEST(HeaderBlock, MakesAResponseOfItsStatus) {
  struct ResponseCase {
    const char* status;
    http::Method method;
    bool has_content;
    const char* outcome;
  };
  using http::Method;
  const std::string bad = "bad_response of upstream: invalid :status";
  const ResponseCase cases[] = {
      {"200", Method::kGet, true, "200 5"},     {"200", Method::kGet, false, "200 none"},
      {"200", Method::kHead, true, "200 none"}, {"204", Method::kGet, true, "204 none"},
      {"304", Method::kGet, true, "304 none"},  {"103", Method::kGet, true, "103 none"},
      {"599", Method::kGet, true, "599 5"},     {"101", Method::kGet, true, bad.c_str()},
      {"099", Method::kGet, true, bad.c_str()}, {"600", Method::kGet, true, bad.c_str()},
      {"", Method::kGet, true, bad.c_str()},    {"20", Method::kGet, true, bad.c_str()},
  };
  for (const ResponseCase& each : cases) {
    http::ResponseHead head;
    Arena arena;
    HeaderBlock block;
    block.start(head.fields, arena, kLimits);
    block.add(":status", each.status);
    block.add("content-length", "5");
    auto done = block.finish_response(head, each.method, each.has_content);
    EXPECT_EQ(done ? fmt::format("{} {}", head.status, show(head.body)) : show(done.error()), each.outcome)
        << each.status;
  }
}

// RFC 9110 6.5.1.
TEST(HeaderBlock, DropsWhatIsNoTrailer) {
  http::Fields fields;
  Arena arena;
  HeaderBlock block;
  block.start(fields, arena, kLimits);
  for (const auto& [name, value] : Lines{{"x-sum", "1"},
                                         {"content-length", "5"},
                                         {"host", "evil"},
                                         {"authorization", "x"},
                                         {"etag", "\"e\""},
                                         {"content_length", "5"},
                                         {"grpc-status", "0"}}) {
    if (fields.size() < 6) block.add(name, value);
  }
  EXPECT_TRUE(block.finish_trailers(Side::kClient));
  EXPECT_EQ(show(fields), " x-sum=1; ETag=\"e\";");
}

TEST(HeaderBlock, RefusesTrailersOverTheLimits) {
  http::Fields fields;
  Arena arena;
  HeaderBlock block;
  block.start(fields, arena, kLimits);
  block.add("x", std::string(1024, 'v'));
  for (const Side side : {Side::kClient, Side::kUpstream}) {
    const auto done = block.finish_trailers(side);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::kHeadTooLarge);
    EXPECT_EQ(done.error().side, side);
  }
}

}  // namespace
}  // namespace rproxy::http2
