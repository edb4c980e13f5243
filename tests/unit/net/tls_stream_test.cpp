#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <future>
#include <random>

#include "support/openssl_client.h"
#include "support/tls_fixture.h"

namespace rproxy::net {
namespace {

using test::TlsEnds;

struct Established : TlsEnds {
  explicit Established(int type = SOCK_STREAM, int version_max = 0) {
    server_version_max = version_max;
    serve({"DNS:shop.com"});
    shake("shop.com", type);
    if (!client_done || !server_done) throw std::runtime_error("no handshake");
  }
};

std::string noise(std::size_t size) {
  std::mt19937 random(7);  // NOLINT(cert-msc51-cpp): the same every time
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

Task<void> write_all(Stream& stream, std::string_view text, Result<std::size_t>& result) {
  result = co_await stream.write(text);
}

Task<void> write_pieces(Stream& stream, std::vector<std::string_view> texts, Result<std::size_t>& result) {
  std::vector<iovec> pieces;
  for (auto text : texts) pieces.push_back({const_cast<char*>(text.data()), text.size()});
  result = co_await stream.write(pieces);
}

// Reads until `size` bytes have come, or the end; the last fill's result is kept.
Task<void> read_up_to(Stream& stream, std::size_t size, std::string& text, Result<std::size_t>& last) {
  while (text.size() < size) {
    if (stream.input().empty()) {
      last = co_await stream.fill();
      if (!last || *last == 0) co_return;
    }
    text += stream.input();
    stream.consume(stream.input().size());
  }
}

TEST(TlsStream, CarriesLargeAmountsBothWaysAtOnce) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Established ends(SOCK_STREAM, version);
    const std::string up = noise(3'000'000);
    const std::string down = noise(2'000'001);
    std::string got_up, got_down;
    Result<std::size_t> sent_up, sent_down, last_up, last_down;
    ends.loop.run(write_all(*ends.client, up, sent_up), write_all(*ends.server, down, sent_down),
                  read_up_to(*ends.server, up.size(), got_up, last_up),
                  read_up_to(*ends.client, down.size(), got_down, last_down));
    EXPECT_EQ(sent_up.value(), up.size());
    EXPECT_EQ(sent_down.value(), down.size());
    EXPECT_TRUE(got_up == up);
    EXPECT_TRUE(got_down == down);
  }
}

// Lets whoever else is ready go first.
struct Yield {
  Loop& loop;
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    loop.post([handle] { handle.resume(); });
  }
  void await_resume() const {}
};

// Passes bytes on, at most `step` at a time, each seen before there is more.
Task<void> relay(Stream& from, Stream& to, std::size_t step) {
  for (;;) {
    if (from.input().empty()) {
      auto filled = co_await from.fill();
      if (!filled || *filled == 0) break;
    }
    while (!from.input().empty()) {
      const auto part = from.input().substr(0, step);
      if (auto sent = co_await to.write(part); !sent) co_return;
      from.consume(part.size());
      co_await Yield{to.loop()};
      co_await Yield{to.loop()};
    }
  }
  to.shutdown_write();
}

Task<void> talk(TlsStream& stream, Result<void>& done, std::string_view says, std::size_t hears, std::string& heard) {
  done = co_await stream.handshake(Duration{5'000});
  if (!done) co_return;
  (void)co_await stream.write(says);
  Result<std::size_t> last;
  co_await read_up_to(stream, hears, heard, last);
  stream.shutdown_write();
  // The peer's end, so that nothing is cut.
  co_await read_up_to(stream, hears + 1, heard, last);
}

TEST(TlsStream, DoesNotCareHowTheBytesAreCut) {
  for (const std::size_t step : {1U, 2U, 3U, 5U, 7U, 100U, 1000U}) {
    TlsEnds ends;
    ends.serve({"DNS:shop.com"});
    ends.make_contexts();
    auto [client_end, client_far] = ends.loop.connected();
    auto [server_far, server_end] = ends.loop.connected();
    ends.client = TlsStream::connect(std::move(client_end), *ends.client_context, "shop.com");
    ends.server = TlsStream::accept(std::move(server_end), *ends.server_context);
    std::string heard_by_client, heard_by_server;
    const std::string up = noise(500), down = noise(20'000);
    ends.loop.run(relay(*client_far, *server_far, step), relay(*server_far, *client_far, step),
                  talk(*ends.client, ends.client_done, up, down.size(), heard_by_client),
                  talk(*ends.server, ends.server_done, down, up.size(), heard_by_server));
    ASSERT_TRUE(ends.client_done && ends.server_done);
    EXPECT_TRUE(heard_by_server == up);
    EXPECT_TRUE(heard_by_client == down);
  }
}

// The sizes of the TLS records in one packet.
std::vector<std::size_t> records(std::string_view packet) {
  std::vector<std::size_t> sizes;
  while (packet.size() >= 5) {
    const std::size_t size = static_cast<unsigned char>(packet[3]) * 256U + static_cast<unsigned char>(packet[4]);
    sizes.push_back(size);
    packet.remove_prefix(std::min(packet.size(), size + 5));
  }
  return sizes;
}

TEST(TlsStream, SendsManyRecordsInOneCallAndASmallAnswerAsOne) {
  // Over a socket that keeps the boundaries of writes.
  Established ends(SOCK_SEQPACKET);
  struct Case {
    std::vector<std::string> pieces;
    std::vector<std::size_t> records;  // plain sizes
  };
  const Case cases[] = {
      {{"HTTP/1.1 200 OK\r\n\r\n", "hello"}, {24}},
      {{std::string(300, 'h'), "4\r\n", "body", "\r\n0\r\n\r\n"}, {314}},
      {{std::string(300, 'h'), std::string(10'000, 'b')}, {10'300}},
      {{std::string(300, 'h'), std::string(30'000, 'b'), "\r\n0\r\n\r\n"}, {300, 16'384, 13'623}},
      {{std::string(36'864, 'b')}, {16'384, 16'384, 4'096}},
      {{std::string(16'384, 'b')}, {16'384}},
  };
  const StreamPtr raw = ends.server->release_inner();
  for (const Case& each : cases) {
    std::vector<std::string_view> views(each.pieces.begin(), each.pieces.end());
    Result<std::size_t> sent;
    ends.loop.run(write_pieces(*ends.client, views, sent));
    constexpr std::size_t kOverhead = 17;  // TLS 1.3: content type and tag
    auto expected = each.records;
    for (auto& record : expected) record += kOverhead;
    std::string packet;
    ends.loop.run(read_up_to(*raw, 1, packet, sent));
    EXPECT_EQ(records(packet), expected);
  }
}

TEST(TlsStream, TellsAnEndFromACut) {
  for (const bool clean : {true, false}) {
    Established ends;
    std::string text;
    Result<std::size_t> sent, last;
    ends.loop.run(write_all(*ends.server, "all of it", sent));
    if (clean) {
      ends.server.reset();
    } else {
      ends.server->abort(false);
    }
    ends.loop.run(read_up_to(*ends.client, 100, text, last));
    EXPECT_EQ(text, "all of it");
    ASSERT_EQ(last.has_value(), clean);
    if (clean) {
      EXPECT_EQ(*last, 0U);
    } else {
      EXPECT_EQ(last.error().code, ErrorCode::kClosed);
    }
    // Whoever asks again is told again.
    Result<std::size_t> again;
    ends.loop.run(read_up_to(*ends.client, 100, text, again));
    EXPECT_EQ(again.has_value(), clean);
    EXPECT_TRUE(ends.client->is_ended());
  }
}

TEST(TlsStream, ClosesOneWayAndStillReads) {
  Established ends;
  std::string at_server, at_client;
  Result<std::size_t> last, sent, ended, refused;
  ends.client->shutdown_write();
  ends.loop.run(read_up_to(*ends.server, 1, at_server, last));
  EXPECT_EQ(last.value(), 0U);
  ends.loop.run(write_all(*ends.server, "the answer", sent), read_up_to(*ends.client, 10, at_client, ended));
  EXPECT_EQ(at_client, "the answer");
  ends.loop.run(write_all(*ends.client, "too late", refused));
  ASSERT_FALSE(refused.has_value());
}

TEST(TlsStream, ClosesAfterWhatIsStillOnItsWay) {
  Established ends;
  const std::string large = noise(1'000'000);
  std::string text;
  Result<std::size_t> sent, last;
  ends.loop.spawn(write_all(*ends.client, large, sent));
  ends.client->shutdown_write();
  ends.loop.run(read_up_to(*ends.server, large.size() + 1, text, last));
  EXPECT_EQ(sent.value(), large.size());
  EXPECT_TRUE(text == large);
  EXPECT_EQ(last.value(), 0U);
}

// Whoever retries by a write's result must not hear of a failure when everything has left.
TEST(TlsStream, WhatHasLeftHasLeftThoughThePeerThenSpeaksNonsense) {
  TlsEnds ends;
  ends.serve({"DNS:shop.com"});
  ends.make_contexts();
  test::OpensslClient client;
  ends.server = TlsStream::accept(client.open(ends.loop), *ends.server_context);
  std::promise<void> is_full, is_read;
  client.start({.name = "shop.com", .version_max = 0, .signatures = "", .ciphers = ""}, [&](SSL* ssl) {
    is_full.get_future().wait();
    (void)::send(SSL_get_fd(ssl), "\x17\x03\x03\xff\xff", 5, MSG_NOSIGNAL);
    is_read.get_future().wait();
    char taken[16384];
    while (::recv(SSL_get_fd(ssl), taken, sizeof taken, 0) > 0) {
    }
  });
  const std::string text = noise(10'000);
  Result<std::size_t> sent = std::size_t{0}, received = std::size_t{0};
  bool broke = false;
  const auto write = [&]() -> Task<void> {
    while (!broke) sent = co_await ends.server->write(text);
    ends.server->abort(true);
  };
  const auto read = [&]() -> Task<void> {
    is_full.set_value();
    received = co_await ends.server->fill();
    broke = true;
    is_read.set_value();
  };
  ends.loop.run(TlsEnds::shake_only(*ends.server, ends.server_done));
  ASSERT_TRUE(ends.server_done);
  ends.loop.run(write(), read());
  client.join();
  EXPECT_FALSE(received.has_value());
  EXPECT_EQ(sent, text.size());
}

TEST(TlsStream, TimesOutReadingAndGoesOn) {
  Established ends;
  ends.client->set_read_timeout(Duration{100});
  std::string text;
  Result<std::size_t> last, sent;
  ends.loop.run(read_up_to(*ends.client, 1, text, last));
  ASSERT_FALSE(last.has_value());
  EXPECT_EQ(last.error().code, ErrorCode::kReadTimeout);
  ends.client->set_read_timeout(Duration{0});
  ends.loop.run(read_up_to(*ends.client, 2, text, last), write_all(*ends.server, "ok", sent));
  EXPECT_EQ(text, "ok");
}

TEST(TlsStream, TimesOutWritingToOneWhoTakesNothing) {
  Established ends;
  ends.client->set_write_timeout(Duration{100});
  const std::string large = noise(8'000'000);
  Result<std::size_t> sent;
  ends.loop.run(write_all(*ends.client, large, sent));
  ASSERT_FALSE(sent.has_value());
  EXPECT_EQ(sent.error().code, ErrorCode::kWriteTimeout);
}

TEST(TlsStream, EndsWaitingOperationsOnAbort) {
  Established ends;
  const std::string large = noise(8'000'000);
  std::string text;
  Result<std::size_t> sent, last;
  ends.loop.spawn(write_all(*ends.client, large, sent));
  ends.loop.spawn(read_up_to(*ends.client, 1, text, last));
  ends.client->abort(true);
  ends.loop.run();
  ASSERT_FALSE(sent.has_value());
  EXPECT_EQ(sent.error().code, ErrorCode::kCancelled);
  ASSERT_FALSE(last.has_value());
  EXPECT_EQ(last.error().code, ErrorCode::kCancelled);
}

TEST(TlsStream, ForgetsATaskThatIsDestroyedWhileItWaits) {
  Established ends;
  {
    // The text goes with the task.
    const std::string large = noise(8'000'000);
    std::string text;
    Result<std::size_t> sent, last;
    TaskGroup doomed;
    doomed.spawn(write_all(*ends.client, large, sent));
    doomed.spawn(read_up_to(*ends.client, 1, text, last));
  }
  std::string text;
  Result<std::size_t> last;
  ends.loop.spawn(read_up_to(*ends.server, 9'000'000, text, last));
  ends.loop.loop().poll();
  ends.client.reset();
  ends.loop.run();
  EXPECT_LT(text.size(), 8'000'000U);
  ASSERT_FALSE(last.has_value());
}

TEST(TlsStream, WakesAnInterruptedReader) {
  Established ends;
  std::string text;
  Result<std::size_t> last, sent;
  ends.loop.spawn(read_up_to(*ends.client, 1, text, last));
  ends.client->interrupt_fill();
  ends.loop.run();
  ASSERT_FALSE(last.has_value());
  EXPECT_EQ(last.error().code, ErrorCode::kCancelled);
  ends.loop.run(read_up_to(*ends.client, 2, text, last), write_all(*ends.server, "ok", sent));
  EXPECT_EQ(text, "ok");
}

TEST(TlsStream, ReportsAnEndToWhoWatches) {
  for (const bool clean : {true, false}) {
    Established ends;
    bool told = false;
    struct Watch {
      bool& told;
      Loop& loop;
    } watch{told, ends.loop.loop()};
    ends.client->watch_end({[](void* self) {
                              static_cast<Watch*>(self)->told = true;
                              static_cast<Watch*>(self)->loop.stop();
                            },
                            &watch});
    if (clean) {
      ends.server.reset();
    } else {
      ends.server->abort(false);
    }
    ends.loop.loop().run();
    EXPECT_TRUE(told);
    EXPECT_TRUE(ends.client->is_ended());
    EXPECT_EQ(ends.client->is_broken(), !clean);
  }
}

}  // namespace
}  // namespace rproxy::net
