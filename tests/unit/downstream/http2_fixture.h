// One HTTP/2 connection over local sockets: nghttp2's client, our server, and a handler with an answer for each path.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "downstream/http2_server.h"
#include "exchange/string_body.h"
#include "net/websocket.h"
#include "support/http2_client.h"
#include "support/http2_frames.h"
#include "support/test_loop.h"

namespace rproxy::downstream {

// Content in pieces, which may break off or never go on.
class PiecesBody final : public exchange::Body {
 public:
  enum class End : std::uint8_t { kLast, kBroken, kNever };
  PiecesBody(std::vector<std::string> pieces, End end, int& alive)
      : pieces_(std::move(pieces)), end_(end), alive_(alive) {
    ++alive_;
  }
  ~PiecesBody() override { --alive_; }

  net::ValueTask<Result<exchange::Slice>> read() override {
    if (next_ == pieces_.size() && end_ == End::kNever) return wait_for_ever();
    if (next_ == pieces_.size() && end_ == End::kBroken) {
      return Result<exchange::Slice>(fail(ErrorCode::kTruncated, Side::kUpstream));
    }
    if (next_ == pieces_.size()) return Result<exchange::Slice>(exchange::Slice{{}, true});
    const bool last = end_ == End::kLast && next_ + 1 == pieces_.size();
    return Result<exchange::Slice>(exchange::Slice{pieces_[next_++], last});
  }
  http::BodyLength length() const override { return {http::BodyLength::Kind::kChunked, 0}; }
  const http::Fields* trailers() const override { return &trailers_; }

  http::Fields trailers_;

 private:
  static net::Task<Result<exchange::Slice>> wait_for_ever() {
    co_await std::suspend_always();
    co_return exchange::Slice{{}, true};
  }

  std::vector<std::string> pieces_;
  End end_;
  int& alive_;
  std::size_t next_ = 0;
};

// The upstream end of a tunnel that says back what it hears, and ends when it has heard the end.
class EchoTunnel final : public exchange::Tunnel {
 public:
  explicit EchoTunnel(std::string& heard) : heard_(heard) {}
  net::Task<Result<std::string_view>> read() override {
    while (said_ == heard_.size() && !ended_) {
      co_await Waiting{*this};
    }
    const auto more = std::string_view(heard_).substr(said_);
    said_ = heard_.size();
    co_return more;
  }
  net::Task<Result<void>> write(std::string_view bytes) override {
    heard_.reserve(100'000);
    heard_ += bytes;
    wake();
    co_return Result<void>();
  }
  void shutdown_write() override {
    ended_ = true;
    wake();
  }
  void abort() override { shutdown_write(); }

 private:
  struct Waiting {
    EchoTunnel& tunnel;
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> handle) { tunnel.reader_ = handle; }
    void await_resume() const {}
  };
  void wake() {
    if (const auto reader = std::exchange(reader_, {})) reader.resume();
  }

  std::string& heard_;
  std::size_t said_ = 0;
  bool ended_ = false;
  std::coroutine_handle<> reader_;
};

class Service final : public exchange::Handler {
 public:
  int alive = 0;        // held requests and contents
  std::string heard;    // of the last request's content, or by the tunnel
  std::string missing;  // why content was not whole
  int asked = 0;

  net::Task<Result<exchange::Response>> handle(exchange::Request& request) override {
    ++asked;
    const auto path = request.head.path;
    exchange::Response response;
    if (path == "/fail") co_return fail(ErrorCode::kConnectRefused, Side::kUpstream);
    if (path == "/slow") {
      const Held held(alive);
      co_await std::suspend_always();
    }
    if (path == "/late") {
      // Asks first, and waits when the content has come meanwhile.
      auto first = request.body->read();
      EXPECT_FALSE(first.is_ready());
      for (int i = 0; i < 30; ++i) co_await net::NextTurn(*request.loop);
      auto slice = co_await std::move(first);
      if (!slice) co_return fail(std::move(slice.error()));
      heard = slice->data;
    }
    if (path == "/hints") {
      http::ResponseHead hints;
      hints.status = 103;
      hints.fields.add("Link", "</x>");
      (void)co_await request.interim->interim(hints);
    }
    if (path == "/echo" && request.body != nullptr) {
      std::string whole;
      for (;;) {
        auto slice = co_await request.body->read();
        if (!slice) {
          missing = to_string(slice.error().code);
          co_return fail(std::move(slice.error()));
        }
        whole += slice->data;
        heard = whole;
        if (slice->last) break;
      }
      response.body = std::make_unique<exchange::StringBody>(request.arena->copy(whole));
      co_return response;
    }
    if (path == "/chat") {
      response.head.status = 101;
      response.head.fields.add(
          http::FieldId::kSecWebsocketAccept,
          net::websocket_accept(request.head.fields.get(http::FieldId::kSecWebsocketKey), *request.arena));
      response.tunnel = std::make_unique<EchoTunnel>(heard);
      co_return response;
    }
    if (path == "/no-proof") {
      response.head.status = 101;
      response.tunnel = std::make_unique<EchoTunnel>(heard);
      co_return response;
    }
    if (path == "/204") response.head.status = 204;
    if (path == "/304") response.head.status = 304;
    if (path == "/403") response.head.status = 403;
    if (const auto* told = request.head.fields.find("X-Told")) response.head.fields.add("Priority", told->value);
    response.body = content(path);
    co_return response;
  }

 private:
  struct Held {
    explicit Held(int& count) : alive(count) { ++alive; }
    ~Held() { --alive; }
    int& alive;
  };

  std::unique_ptr<exchange::Body> content(std::string_view path) {
    using End = PiecesBody::End;
    if (path == "/pieces") {
      auto body = std::make_unique<PiecesBody>(std::vector<std::string>{"one ", "two ", "three"}, End::kLast, alive);
      body->trailers_.add("X-Sum", "3");
      return body;
    }
    if (path == "/broken") return std::make_unique<PiecesBody>(std::vector<std::string>{"some"}, End::kBroken, alive);
    if (path == "/stuck") return std::make_unique<PiecesBody>(std::vector<std::string>{"some"}, End::kNever, alive);
    if (path == "/large") {
      return std::make_unique<PiecesBody>(std::vector<std::string>(10, std::string(100'000, 'x')), End::kLast, alive);
    }
    return std::make_unique<exchange::StringBody>("hello");
  }
};

struct Told {
  std::string path;
  std::uint16_t status;
  std::string termination;
  std::uint64_t received;
  std::uint64_t sent;
  std::uint64_t body_sent;
  bool has_time;
};

struct ToldLines final : exchange::Observer {
  void finished(const exchange::Request& request, const exchange::Outcome& outcome) override {
    EXPECT_EQ(request.head.version, http::Version::kHttp2);
    all.push_back({std::string(request.head.target), outcome.status, std::string(outcome.termination),
                   outcome.bytes_received, outcome.bytes_sent, outcome.body_bytes_sent,
                   request.trace.start != TimePoint{}});
  }
  std::vector<Told> all;
};

struct Http2Fixture {
  using Client = test::Http2Client;
  using Step = std::function<bool(Client&)>;

  // `step` is asked whenever the client has got something, first when it has got the server's settings; true: the client goes.
  void talk(Step step) {
    auto [near, far] = loop.connected();
    exchange::Client who;
    who.peer.ip = IpAddress::parse("192.0.2.7").value();
    loop.run(converse(std::move(near), std::move(step)), serve_http2(std::move(far), who, context));
  }
  // The same for requests that are all made at once, until all are over.
  void ask(const std::vector<Client::Request>& requests) {
    bool asked = false;
    talk([&](Client& each) {
      if (!std::exchange(asked, true)) {
        for (const auto& request : requests) ids.push_back(each.ask(request));
      }
      return is_over(ids);
    });
  }
  bool is_over(const std::vector<std::int32_t>& all) const {
    return std::all_of(all.begin(), all.end(),
                       [this](std::int32_t id) { return client.answer(id).closed.has_value(); });
  }
  net::Task<void> converse(net::StreamPtr stream, Step step) {
    for (;;) {
      if (step(client)) co_return;
      for (;;) {
        const std::string up = std::exchange(raw, {}) + client.take();
        if (!up.empty()) (void)co_await stream->write(up);
        if (!later) break;
        for (int i = 0; i < 5; ++i) co_await net::NextTurn(loop);
        std::exchange(later, {})();
      }
      const auto filled = co_await stream->fill();
      heard += stream->input();
      client.receive(stream->input());
      stream->consume(stream->input().size());
      if (!filled || *filled == 0) break;
    }
    was_ended = true;
  }
  // As if so much time had gone by. Nothing is late that the loop's own time would bring.
  void advance(Duration time) {
    net::DeadlineWheel& wheel = loop.loop().wheel();
    const auto ticks = static_cast<std::uint64_t>(time / net::DeadlineWheel::kTick);
    wheel.advance(wheel.current_tick() + ticks);
  }

  test::TestLoop loop;
  Options options;
  Service service;
  ToldLines lines;
  Context context{options, loop, service, &lines};
  Client client;
  std::vector<std::int32_t> ids;
  std::function<void()>
      later;               // called when the server has had its turns with what was said, before the client hears of it
  std::string raw;         // said before what the client has to say
  std::string heard;       // all that the server said
  bool was_ended = false;  // by the server
};

}  // namespace rproxy::downstream
