#include "http/head_parser.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rproxy::http {
namespace {

const HeadLimits kLimits{ByteSize{512}, ByteSize{128}, 8};
const PathPolicy kPaths;

using Ends = std::vector<std::size_t>;

std::string describe_length(const BodyLength& body) {
  switch (body.kind) {
    case BodyLength::Kind::kNone:
      return "none";
    case BodyLength::Kind::kFixed:
      return std::to_string(body.bytes);
    case BodyLength::Kind::kChunked:
      return "chunked";
    case BodyLength::Kind::kUntilClose:
      return "until close";
  }
  return "";
}

std::string show(const Fields& fields) {
  std::string out;
  for (const Field& field : fields) out += fmt::format(" {}={};", field.name, field.value);
  return out;
}

// Everything the parser says about `bytes` when they come in the pieces that end at `ends`.
template <typename Feed>
std::string feed_pieces(const std::string& bytes, const Ends& ends, Feed feed) {
  for (const std::size_t end : ends) {
    auto progress = feed(std::string_view(bytes).substr(0, end));
    if (!progress) return "error " + std::string(to_string(progress.error().code));
    if (*progress == ParseProgress::kDone) return "";
  }
  return "more";
}

std::string parse_request(const std::string& bytes, const Ends& ends) {
  RequestHead head;
  Arena arena;
  RequestHeadParser parser(head, arena, kLimits, kPaths);
  const auto failed = feed_pieces(bytes, ends, [&](std::string_view seen) { return parser.feed(seen); });
  if (!failed.empty()) return failed;
  return fmt::format("{} {} {}{}{} host={} {} {}{}{}{}{} rest={}", head.method, to_string(head.version), head.path,
                     head.has_query ? "?" : "", head.query, head.host, describe_length(head.body),
                     head.keep_alive ? "keep" : "close", head.expect_continue ? " expect" : "",
                     head.upgrade ? " upgrade" : "", head.accepts_trailers ? " trailers" : "", show(head.fields),
                     bytes.size() - parser.consumed());
}

std::string parse_response(const std::string& bytes, Method method, const Ends& ends) {
  ResponseHead head;
  ResponseHeadParser parser(head, kLimits, method);
  const auto failed = feed_pieces(bytes, ends, [&](std::string_view seen) { return parser.feed(seen); });
  if (!failed.empty()) return failed;
  return fmt::format("{} {} {} {}{} rest={}", head.status, head.reason, describe_length(head.body),
                     head.keep_alive ? "keep" : "close", show(head.fields), bytes.size() - parser.consumed());
}

// Whole, byte by byte, and split at every position: always the same. A split may only turn an error in the tail into the same error.
template <typename Parse>
void expect_everywhere(const std::string& bytes, const std::string& want, Parse parse) {
  EXPECT_EQ(parse(Ends{bytes.size()}), want) << bytes;
  Ends each;
  for (std::size_t end = 1; end <= bytes.size(); ++end) each.push_back(end);
  EXPECT_EQ(parse(each), want) << "byte by byte: " << bytes;
  for (std::size_t split = 1; split < bytes.size(); ++split) {
    ASSERT_EQ(parse(Ends{split, bytes.size()}), want) << "split at " << split << ": " << bytes;
  }
}

struct Case {
  std::string bytes;
  std::string want;
};

TEST(RequestHeadParser, SaysTheSameHoweverTheBytesArrive) {
  const std::vector<Case> cases = {
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET HTTP/1.1 / host=a none keep Host=a; rest=0"},
      {"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\nGET", "GET HTTP/1.1 / host=a none keep Host=a; rest=3"},
      {"GET /a/../b?c HTTP/1.1\r\nHost: A.com:80\r\n\r\n",
       "GET HTTP/1.1 /b?c host=a.com none keep Host=A.com:80; rest=0"},
      {"GET /a? HTTP/1.0\r\n\r\n", "GET HTTP/1.0 /a? host= none close rest=0"},
      {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
       "GET HTTP/1.0 / host= none keep Connection=keep-alive; rest=0"},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
       "GET HTTP/1.1 / host=a none close Host=a; Connection=close; rest=0"},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\nExpect: 100-continue\r\n\r\nhello",
       "POST HTTP/1.1 / host=a 12 keep expect Host=a; Content-Length=12; Expect=100-continue; rest=5"},
      {"POST / HTTP/1.0\r\nContent-Length: 12\r\nExpect: x\r\n\r\n",
       "POST HTTP/1.0 / host= 12 close Content-Length=12; rest=0"},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
       "POST HTTP/1.1 / host=a chunked keep Host=a; Transfer-Encoding=chunked; rest=0"},
      {"GET / HTTP/1.1\r\nHost: a\r\nTE: gzip;q=0.5, Trailers\r\n\r\n",
       "GET HTTP/1.1 / host=a none keep trailers Host=a; TE=gzip;q=0.5, Trailers; rest=0"},
      {"GET / HTTP/1.1\r\nHost: a\r\nTE: gzip\r\n\r\n", "GET HTTP/1.1 / host=a none keep Host=a; TE=gzip; rest=0"},
      {"GET / HTTP/1.0\r\nHost: a\r\nTE: trailers\r\n\r\n",
       "GET HTTP/1.0 / host=a none close Host=a; TE=trailers; rest=0"},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
       "GET HTTP/1.1 / host=a none keep upgrade Host=a; Connection=upgrade; Upgrade=x; rest=0"},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\nUpgrade: h2c/2\r\n\r\n",
       "GET HTTP/1.1 / host=a none keep Host=a; Connection=upgrade; Upgrade=x; Upgrade=h2c/2; rest=0"},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: \"x\"\r\n\r\n",
       "GET HTTP/1.1 / host=a none keep Host=a; Connection=upgrade; Upgrade=\"x\"; rest=0"},
      {"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nExpect: x\r\n\r\n", "error expectation_failed"},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close, Cookie\r\n\r\n", "error bad_request"},
      {"GET http://b.com/x HTTP/1.1\r\nHost: a\r\n\r\n", "GET HTTP/1.1 /x host=b.com none keep Host=a; rest=0"},
      {"OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "OPTIONS HTTP/1.1 * host=[::1] none keep Host=[::1]:80; rest=0"},
      {"GET / HTTP/1.1\r\nHost: a\r\n", "more"},
      {"GET / HTTP/1.1\r\n\r\n", "error bad_request"},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "error bad_request"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n", "error bad_request"},
      {"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", "error bad_request"},
      {"GET / HTTP/1.1\nHost: a\n\n", "error bad_request"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: \rb\r\n\r\n", "error bad_request"},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "error bad_request"},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "error bad_request"},
      {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", "error version_unsupported"},
      {"GET /" + std::string(200, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", "error uri_too_long"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(600, 'a') + "\r\n\r\n", "error head_too_large"},
      {"GET / HTTP/1.1\r\nHost: a\r\nA:\r\nB:\r\nC:\r\nD:\r\nE:\r\nF:\r\nG:\r\nH:\r\n\r\n", "error head_too_large"},
  };
  for (const Case& each : cases) {
    expect_everywhere(each.bytes, each.want, [&](const Ends& ends) { return parse_request(each.bytes, ends); });
  }
}

TEST(RequestHeadParser, TellsABadBeginningFromNone) {
  for (const auto& [bytes, begun] : std::vector<std::pair<std::string, bool>>{
           {"", false}, {"\r", false}, {"\r\n", false}, {"G", true}, {"\rG", true}, {"\r\n\r\n", true}, {" ", true}}) {
    RequestHead head;
    Arena arena;
    RequestHeadParser parser(head, arena, kLimits, kPaths);
    for (std::size_t end = 0; end <= bytes.size(); ++end) {
      if (!parser.feed(std::string_view(bytes).substr(0, end))) break;
    }
    EXPECT_EQ(parser.has_begun(), begun) << bytes;
  }
}

TEST(ResponseHeadParser, SaysTheSameHoweverTheBytesArrive) {
  const std::vector<Case> cases = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "200 OK 5 keep Content-Length=5; rest=5"},
      {"HTTP/1.1 200\r\n\r\n", "200  until close close rest=0"},
      {"HTTP/1.1 200 \r\n\r\n", "200  until close close rest=0"},
      {"HTTP/1.1 204 No Content\r\n\r\n", "204 No Content none keep rest=0"},
      {"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", "103 Early Hints none keep Link=x; rest=0"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
       "200 OK chunked keep Transfer-Encoding=chunked; rest=0"},
      {"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", "200 OK 0 close Content-Length=0; rest=0"},
      {"HTTP/1.1 2000 OK\r\n\r\n", "error bad_response"},
      {"HTTP/1.1 20 OK\r\n\r\n", "error bad_response"},
      {"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "error bad_response"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "error bad_response"},
      {"hello\r\n\r\n", "error bad_response"},
  };
  for (const Case& each : cases) {
    expect_everywhere(each.bytes, each.want,
                      [&](const Ends& ends) { return parse_response(each.bytes, Method::kGet, ends); });
  }
}

TEST(ResponseHeadParser, KnowsAnswersWithoutContent) {
  const std::string bytes = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
  EXPECT_EQ(parse_response(bytes, Method::kHead, {bytes.size()}), "200 OK none keep Content-Length=5; rest=0");
}

}  // namespace
}  // namespace rproxy::http
