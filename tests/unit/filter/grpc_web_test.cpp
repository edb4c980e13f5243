// gRPC-Web in, gRPC out, and back.
#include "filter/grpc_web.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "http/base64.h"
#include "support/test_loop.h"

namespace rproxy::filter {
namespace {

using exchange::Slice;
using http::BodyLength;
using http::FieldId;

// Content in these slices, ready at once or a turn of the loop later.
class ScriptedBody final : public exchange::Body {
 public:
  ScriptedBody(net::Loop& loop, std::vector<std::string> slices, http::Fields trailers = {}, bool is_late = false)
      : loop_(loop), slices_(std::move(slices)), trailers_(std::move(trailers)), is_late_(is_late) {}

  net::ValueTask<Result<Slice>> read() override {
    if (is_late_) return later();
    return next();
  }
  BodyLength length() const override {
    std::size_t size = 0;
    for (const auto& slice : slices_) size += slice.size();
    return {BodyLength::Kind::kFixed, size};
  }
  const http::Fields* trailers() const override { return trailers_.empty() ? nullptr : &trailers_; }

 private:
  Result<Slice> next() {
    if (slices_.empty()) return Slice{{}, true};
    const bool is_last = at_ + 1 == slices_.size();
    return Slice{slices_[at_++], is_last};
  }
  net::Task<Result<Slice>> later() {
    co_await net::NextTurn(loop_);
    co_return next();
  }

  net::Loop& loop_;
  std::vector<std::string> slices_;
  http::Fields trailers_;
  bool is_late_;
  std::size_t at_ = 0;
};

// Reads the whole of a body; the error's code where it ends in one.
net::Task<void> read_all(exchange::Body& body, std::vector<std::string>& slices) {
  for (;;) {
    auto slice = co_await body.read();
    if (!slice) {
      slices.push_back("error: " + std::string(to_string(slice.error().code)));
      co_return;
    }
    EXPECT_TRUE(slice->last || !slice->data.empty());
    if (!slice->data.empty()) slices.emplace_back(slice->data);
    if (slice->last) co_return;
  }
}

std::string joined(const std::vector<std::string>& parts) {
  std::string all;
  for (const auto& part : parts) all += part;
  return all;
}

// What a gRPC upstream would see, and its answer.
class Upstream final : public exchange::Handler {
 public:
  explicit Upstream(net::Loop& loop) : loop(loop) {}

  net::Task<Result<exchange::Response>> handle(exchange::Request& request) override {
    type = request.head.fields.get(FieldId::kContentType);
    has_accept = request.head.fields.has(FieldId::kAccept);
    has_length = request.head.fields.has(FieldId::kContentLength);
    accepts_trailers = request.head.accepts_trailers;
    if (request.body != nullptr) {
      length = request.body->length().kind;
      std::vector<std::string> slices;
      co_await read_all(*request.body, slices);
      content = joined(slices);
      if (content.find("error: ") != std::string::npos) co_return fail(ErrorCode::kBadRequest, Side::kClient);
    }
    if (fails) co_return fail(ErrorCode::kConnectRefused, Side::kUpstream);
    exchange::Response response;
    response.head.fields = head;
    if (has_body) response.body = std::make_unique<ScriptedBody>(loop, slices, trailers, is_late);
    co_return response;
  }

  net::Loop& loop;
  http::Fields head, trailers;
  std::vector<std::string> slices;
  bool has_body = true, is_late = false, fails = false;

  std::string type, content;
  BodyLength::Kind length{};
  bool has_accept = false, has_length = false, accepts_trailers = false;
};

struct Fixture {
  explicit Fixture(std::string_view type, std::vector<std::string> content = {"abc"}, bool is_late = false)
      : body(loop, std::move(content), {}, is_late), filter(make_upstream()) {
    request.arena = &arena;
    request.loop = &loop.loop();
    request.body = &body;
    request.head.fields.add("Content-Type", type);
    request.head.fields.add("Content-Length", "3");
    upstream->head.add("Content-Type", "application/grpc+proto");
    upstream->head.add("Content-Length", "99");
    upstream->head.add("Trailer", "grpc-status");
    upstream->trailers.add("Grpc-Status", "0");
    upstream->trailers.add("X-More", "y z");
    upstream->is_late = is_late;
  }
  std::unique_ptr<exchange::Handler> make_upstream() {
    auto made = std::make_unique<Upstream>(loop);
    upstream = made.get();
    return made;
  }
  void ask() { loop.run(handle()); }
  std::vector<std::string> slices() {
    std::vector<std::string> found;
    if (answer->body != nullptr) loop.run(read_all(*answer->body, found));
    return found;
  }
  std::string_view field(FieldId id) const { return answer->head.fields.get(id); }

  test::TestLoop loop;
  Arena arena;
  ScriptedBody body;
  exchange::Request request;
  Upstream* upstream = nullptr;
  GrpcWeb filter;
  Result<exchange::Response> answer;

 private:
  net::Task<void> handle() { answer = co_await filter.handle(request); }
};

const std::string kFrame(
    "\x80\x00\x00\x00\x1d"
    "grpc-status: 0\r\nx-more: y z\r\n",
    5 + 29);

std::string base64(std::string_view bytes) {
  std::string text(http::base64_size(bytes.size()), '\0');
  http::write_base64(text.data(), bytes);
  return text;
}

TEST(GrpcWeb, BecomesWhatAGrpcClientWouldHaveSentAndItsAnswerComesBack) {
  for (const bool is_late : {false, true}) {
    Fixture f("application/grpc-web+proto", {"abc", "def"}, is_late);
    f.request.head.fields.add("Accept", "application/grpc-web+proto");
    f.upstream->slices = {"one", "two"};
    f.ask();
    EXPECT_EQ(f.upstream->type, "application/grpc+proto");
    EXPECT_EQ(f.upstream->content, "abcdef");
    EXPECT_EQ(f.upstream->length, BodyLength::Kind::kFixed);
    EXPECT_TRUE(f.upstream->accepts_trailers);
    EXPECT_FALSE(f.upstream->has_accept);
    EXPECT_EQ(f.field(FieldId::kContentType), "application/grpc-web+proto");
    EXPECT_FALSE(f.answer->head.fields.has(FieldId::kContentLength));
    EXPECT_FALSE(f.answer->head.fields.has(FieldId::kTrailer));
    EXPECT_EQ(f.answer->body->length().kind, BodyLength::Kind::kChunked);
    EXPECT_EQ(f.slices(), (std::vector<std::string>{"one", "two", kFrame}));
    EXPECT_EQ(f.answer->body->trailers(), nullptr);
  }
}

TEST(GrpcWebText, IsDecodedWhereverItIsSplitAndEncodedSliceBySlice) {
  const std::string text = base64("hello, ") + base64("gRPC") + base64("!!!");
  for (std::size_t step = 1; step <= text.size(); ++step) {
    std::vector<std::string> pieces;
    for (std::size_t at = 0; at < text.size(); at += step) pieces.push_back(text.substr(at, step));
    Fixture f("application/grpc-web-text", pieces, step % 2 == 0);
    f.upstream->slices = {"a", "bc", "def", "ghij"};
    f.ask();
    EXPECT_EQ(f.upstream->type, "application/grpc");
    EXPECT_EQ(f.upstream->content, "hello, gRPC!!!") << step;
    EXPECT_EQ(f.upstream->length, BodyLength::Kind::kChunked);
    EXPECT_FALSE(f.upstream->has_length);
    EXPECT_EQ(f.field(FieldId::kContentType), "application/grpc-web-text+proto");
    EXPECT_EQ(f.slices(), (std::vector<std::string>{"YQ==", "YmM=", "ZGVm", "Z2hpag==", base64(kFrame)}));
  }
}

TEST(GrpcWebText, TakesLongSlicesInShortPieces) {
  std::string bytes(100'000, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7);
  Fixture f("application/grpc-web-text", {base64(bytes)});
  f.upstream->slices = {bytes};
  const std::string value(20'000, 'x');
  f.upstream->trailers.add("long", value);
  f.ask();
  EXPECT_TRUE(f.upstream->content == bytes);
  const auto slices = f.slices();
  for (const auto& slice : slices) EXPECT_LE(slice.size(), 8192U);
  const std::string lines = "grpc-status: 0\r\nx-more: y z\r\nlong: " + value + "\r\n";
  const char head[] = {'\x80', 0, 0, static_cast<char>(lines.size() >> 8), static_cast<char>(lines.size())};
  EXPECT_TRUE(joined(slices) == base64(bytes) + base64(std::string(head, sizeof head) + lines));
}

TEST(GrpcWebText, IsNotForAnswersWhereAcceptSaysSo) {
  struct Case {
    const char* type;
    const char* accept;
    const char* answer;
  };
  const Case cases[] = {
      {"application/grpc-web-text", "application/grpc-web", "application/grpc-web+proto"},
      {"application/grpc-web", "text/plain, application/grpc-web-text;q=1", "application/grpc-web-text+proto"},
      {"application/grpc-web-text", "*/*", "application/grpc-web-text+proto"},
      {"application/grpc-web", "application/grpc", "application/grpc-web+proto"},
  };
  for (const Case& each : cases) {
    Fixture f(each.type, {"Zg=="});
    f.request.head.fields.add("Accept", each.accept);
    f.ask();
    EXPECT_EQ(f.field(FieldId::kContentType), each.answer) << each.accept;
  }
}

TEST(GrpcWeb, LeavesAStatusInTheHeadWhereItIs) {
  for (const bool has_body : {false, true}) {
    Fixture f("application/grpc-web");
    f.upstream->head.add("grpc-status", "5");
    f.upstream->trailers.clear();
    f.upstream->has_body = has_body;
    f.ask();
    EXPECT_EQ(f.field(FieldId::kGrpcStatus), "5");
    EXPECT_EQ(f.field(FieldId::kContentType), "application/grpc-web+proto");
    EXPECT_TRUE(f.slices().empty());
    if (has_body) {
      EXPECT_EQ(f.answer->body->length().kind, BodyLength::Kind::kFixed);
    }
  }
}

TEST(GrpcWeb, SaysSoWhereAnAnswerEndsWithoutAStatus) {
  Fixture f("application/grpc-web");
  f.upstream->slices = {"one"};
  f.upstream->trailers.clear();
  f.ask();
  const std::string lines = "grpc-status: 13\r\ngrpc-message: the answer has no status\r\n";
  EXPECT_EQ(joined(f.slices()), "one" + std::string("\x80\0\0\0", 4) + static_cast<char>(lines.size()) + lines);
  EXPECT_EQ(f.request.trace.grpc_status, 13);
}

TEST(GrpcWeb, LetsOtherAnswersPass) {
  for (const char* type : {"application/grpc-web", "application/grpc-web-text"}) {
    Fixture f(type, {"Zm9v"});
    f.upstream->head.set("Content-Type", "text/html");
    f.upstream->slices = {"<html>"};
    f.ask();
    EXPECT_EQ(f.field(FieldId::kContentType), "text/html");
    EXPECT_EQ(f.field(FieldId::kContentLength), "99");
    EXPECT_EQ(f.answer->body->length().kind, BodyLength::Kind::kFixed);
    EXPECT_EQ(joined(f.slices()), "<html>");
    EXPECT_NE(f.answer->body->trailers(), nullptr);
  }
}

TEST(GrpcWeb, LetsOtherRequestsPass) {
  for (const char* type : {"application/grpc", "application/json"}) {
    Fixture f(type);
    f.ask();
    EXPECT_EQ(f.upstream->type, type);
    EXPECT_FALSE(f.upstream->accepts_trailers);
    EXPECT_EQ(f.field(FieldId::kContentType), "application/grpc+proto");
    EXPECT_NE(f.answer->body->trailers(), nullptr);
  }
}

TEST(GrpcWebText, ThatIsNotBase64IsRefused) {
  for (const char* content : {"Zg=", "Z", "Zg==Zg", "!!!!", "Zm9v\r\n"}) {
    Fixture f("application/grpc-web-text+proto", {content});
    f.ask();
    ASSERT_TRUE(f.answer);
    EXPECT_EQ(f.answer->head.status, 200);
    EXPECT_EQ(f.field(FieldId::kContentType), "application/grpc-web-text+proto");
    EXPECT_EQ(f.field(FieldId::kGrpcStatus), "13");
    EXPECT_EQ(f.field(FieldId::kGrpcMessage), "the request's content is not Base64");
    EXPECT_TRUE(f.answer->close);
    EXPECT_EQ(f.request.trace.termination, "client_bad_request");
  }
}

TEST(GrpcWeb, LetsFailuresPassAndBeToldInTheClientsTerms) {
  Fixture f("application/grpc-web-text", {"Zg=="});
  f.upstream->fails = true;
  f.ask();
  ASSERT_FALSE(f.answer);
  EXPECT_EQ(f.answer.error().code, ErrorCode::kConnectRefused);
  EXPECT_EQ(f.request.head.fields.get(FieldId::kContentType), "application/grpc-web-text");
}

TEST(GrpcWebText, StandsInForTheContentNoLongerThanTheAnswerLives) {
  Fixture f("application/grpc-web-text", {"Zg=="});
  f.ask();
  EXPECT_NE(f.request.body, &f.body);
  f.answer->body.reset();
  EXPECT_EQ(f.request.body, &f.body);
}

TEST(GrpcWeb, PassesOnThatAnAnswerIsCutShort) {
  class CutBody final : public exchange::Body {
   public:
    net::ValueTask<Result<Slice>> read() override {
      return Result<Slice>(fail(ErrorCode::kTruncated, Side::kUpstream));
    }
    BodyLength length() const override { return {BodyLength::Kind::kChunked, 0}; }
  };
  class Cutting final : public exchange::Handler {
   public:
    net::Task<Result<exchange::Response>> handle(exchange::Request&) override {
      exchange::Response response;
      response.head.fields.add("Content-Type", "application/grpc");
      response.body = std::make_unique<CutBody>();
      co_return response;
    }
  };
  Fixture f("application/grpc-web");
  GrpcWeb filter(std::make_unique<Cutting>());
  const auto ask = [&f, &filter]() -> net::Task<void> { f.answer = co_await filter.handle(f.request); };
  f.loop.run(ask());
  EXPECT_EQ(f.slices(), (std::vector<std::string>{"error: truncated"}));
}

}  // namespace
}  // namespace rproxy::filter
