// A pool whose connections lead to HTTP/2 servers of nghttp2's over local sockets, and what becomes of requests sent there.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "exchange/string_body.h"
#include "support/http2_frames.h"
#include "support/http2_server.h"
#include "support/test_loop.h"
#include "upstream/client.h"
#include "upstream/pool.h"

namespace rproxy::upstream {

// A server's end of a connection.
struct Http2Peer {
  Http2Peer(const test::Http2Server::Settings& settings, net::StreamPtr end, std::uint16_t endpoint_port)
      : server(settings), stream(std::move(end)), port(endpoint_port) {}
  test::Http2Server server;
  net::StreamPtr stream;
  std::uint16_t port;  // of the endpoint; the first one's is 1
  std::string raw;     // said before what the server has to say

  // The first request that has not been answered; 0: none.
  std::int32_t next() {
    for (const auto& [id, request] : server.requests()) {
      if (id > answered && request.has_head) return answered = id;
    }
    return 0;
  }
  std::int32_t answered = 0;
};

// What came of one request.
struct Fetched {
  std::uint16_t status = 0;
  std::string body;
  bool whole = false;
  std::optional<Error> error;  // of the head, or of the content
};

struct Http2Fixture {
  explicit Http2Fixture(const std::function<void(Options&)>& choose = {}, std::size_t endpoints = 1) {
    Options options;
    options.name = "app";
    for (std::size_t i = 1; i <= endpoints; ++i) {
      options.endpoints.push_back({HostPort::parse("127.0.0.1:" + std::to_string(i)).value(), 1});
    }
    options.protocol = Protocol::kHttp2;
    if (choose) choose(options);
    upstream = std::move(Upstream::create(std::move(options))).value();
    make_pool();
  }
  void make_pool() {
    const auto connect = [this](net::Loop&, const net::SocketAddress& address, Duration) {
      return connected(net::peer_of(address.storage).port);
    };
    pool = std::make_unique<Pool>(loop, Reach{upstream, nullptr, connect}, 1);
  }
  // Leases before the pool, and all before the loop.
  ~Http2Fixture() {
    serving.cancel_all();
    pool.reset();
    peers.clear();
  }

  std::optional<Lease> acquire_idle() {
    auto place = Place::take(pool->at(0));
    return pool->at(0).acquire_idle(*place);
  }

  net::Task<Result<net::StreamPtr>> connected(std::uint16_t port) {
    ++connections;
    if (refuses) co_await net::NextTurn(loop);
    if (refuses) co_return fail(ErrorCode::kConnectRefused, Side::kUpstream, Retry::kSafe);
    // So that a test that goes wrong ends.
    if (connections > 1000) co_return fail(ErrorCode::kInternal, Side::kLocal);
    auto [ours, theirs] = loop.connected();
    peers.push_back(std::make_unique<Http2Peer>(settings, std::move(theirs), port));
    serving.spawn(serve(*peers.back()));
    co_return std::move(ours);
  }

  net::Task<void> serve(Http2Peer& peer) {
    if (on_connection) on_connection(peer);
    for (;;) {
      if (const std::string up = std::exchange(peer.raw, {}) + peer.server.take(); !up.empty()) {
        if (!co_await peer.stream->write(up)) break;
      }
      const auto filled = co_await peer.stream->fill();
      if (!filled || *filled == 0) break;
      if (!is_deaf) peer.server.receive(peer.stream->input());
      peer.stream->consume(peer.stream->input().size());
      if (on_news) on_news(peer);
    }
    if (hangs_up) peer.stream->shutdown_write();
  }

  exchange::Request request(std::string_view method = "GET") {
    exchange::Request made;
    made.head.method = method;
    made.head.method_id = http::method_id(method);
    made.head.scheme = "http";
    made.head.authority = "app";
    made.head.path = "/";
    made.head.version = http::Version::kHttp11;
    made.arena = &arena;
    made.loop = &loop.loop();
    made.client = &client;
    made.trace.start = loop.loop().now();
    return made;
  }

  net::Task<void> fetch(exchange::Request& asked, Fetched& got) {
    std::optional<Lease> lease;
    if (auto idle = acquire_idle()) {
      lease.emplace(std::move(*idle));
    } else {
      auto made = co_await pool->at(0).connect(*Place::take(pool->at(0)));
      if (!made) {
        got.error = std::move(made.error());
        co_return;
      }
      lease.emplace(std::move(*made));
    }
    auto response = co_await send(asked, std::move(*lease), pool->options(), Duration{0});
    if (!response) {
      got.error = std::move(response.error());
      co_return;
    }
    got.status = response->head.status;
    while (!got.whole) {
      auto slice = co_await response->body->read();
      if (!slice) {
        got.error = std::move(slice.error());
        co_return;
      }
      got.body += slice->data;
      got.whole = slice->last;
    }
  }
  Fetched fetch(exchange::Request asked) {
    Fetched got;
    loop.run(fetch(asked, got));
    return got;
  }
  Fetched fetch() { return fetch(request()); }

  // Lets everybody have their turns.
  void turns(int count = 20) {
    const auto wait = [](net::Loop& where, int left) -> net::Task<void> {
      while (left-- > 0) co_await net::NextTurn(where);
    };
    loop.run(wait(loop, count));
  }
  // As if so much time had gone by.
  void advance(Duration time) {
    net::DeadlineWheel& wheel = loop.loop().wheel();
    wheel.advance(wheel.current_tick() + static_cast<std::uint64_t>(time / net::DeadlineWheel::kTick));
  }

  test::TestLoop loop;
  Arena arena;
  exchange::Client client;
  test::Http2Server::Settings settings;
  std::function<void(Http2Peer&)> on_connection;
  std::function<void(Http2Peer&)> on_news;  // something has come
  bool refuses = false;
  bool is_deaf = false;  // servers get nothing
  bool hangs_up = true;  // when we have
  int connections = 0;
  std::shared_ptr<Upstream> upstream;
  std::vector<std::unique_ptr<Http2Peer>> peers;
  net::TaskGroup serving;
  std::unique_ptr<Pool> pool;
};

}  // namespace rproxy::upstream
