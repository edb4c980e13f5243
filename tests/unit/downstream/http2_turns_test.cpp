// Whose turn it is on a connection (RFC 9218), as the order of the server's DATA frames tells.
#include "http2_fixture.h"

namespace rproxy::downstream {
namespace {

using testing::ElementsAre;
using testing::SizeIs;
using Client = test::Http2Client;

constexpr Duration kTick = net::DeadlineWheel::kTick;
const std::string kWhole(1'000'000, 'x');

struct Turn {
  std::int32_t stream;
  std::size_t size;
};

// The streams whose content came, one after the other.
std::vector<Turn> turns(std::string_view heard) {
  constexpr std::size_t kHead = 9;
  std::vector<Turn> all;
  while (heard.size() >= kHead) {
    const auto octet = [&](std::size_t at) { return static_cast<std::size_t>(static_cast<unsigned char>(heard[at])); };
    const std::size_t size = octet(0) << 16 | octet(1) << 8 | octet(2);
    const auto stream = static_cast<std::int32_t>(octet(7) << 8 | octet(8));
    const bool is_content = octet(3) == NGHTTP2_DATA && size > 0;
    if (is_content && (all.empty() || all.back().stream != stream)) all.push_back({stream, 0});
    if (is_content) all.back().size += size;
    heard.remove_prefix(std::min(kHead + size, heard.size()));
  }
  return all;
}

std::vector<std::int32_t> order(const std::vector<Turn>& all) {
  std::vector<std::int32_t> streams;
  for (const Turn& turn : all) streams.push_back(turn.stream);
  return streams;
}

Client::Request large(const std::string& priority, const std::string& told = {}) {
  Client::Request request{"GET", "/large", {{"priority", priority}}};
  if (!told.empty()) request.fields.emplace_back("x-told", told);
  return request;
}

TEST(Http2Turns, TheMoreUrgentGoFirst) {
  Http2Fixture f;
  f.ask({large("u=7"), large("u=0"), large("u=3")});
  EXPECT_THAT(order(turns(f.heard)), ElementsAre(3, 5, 1));
  for (const std::int32_t id : f.ids) EXPECT_EQ(f.client.answer(id).body, kWhole);
}

TEST(Http2Turns, OneComesAfterTheOtherWhereNothingIsSaid) {
  Http2Fixture f;
  f.ask({large("i=?0"), large("")});
  EXPECT_THAT(order(turns(f.heard)), ElementsAre(1, 3));
}

TEST(Http2Turns, IncrementalOnesShare) {
  Http2Fixture f;
  f.ask({large("i"), large("u=3, i")});
  const auto all = turns(f.heard);
  EXPECT_GT(all.size(), 20U);
  for (std::size_t i = 0; i + 1 < all.size(); ++i) EXPECT_LE(all[i].size, 100'000U);
}

TEST(Http2Turns, AnUpdateCountsAtOnce) {
  Http2Fixture f;
  f.talk([&](Client& client) {
    if (f.ids.empty()) {
      f.ids = {client.ask(large("u=2")), client.ask(large("u=4"))};
    } else if (f.raw.empty() && client.answer(1).body.size() > 100'000 && client.answer(3).body.empty()) {
      f.raw = test::frame(NGHTTP2_PRIORITY_UPDATE, 0, 0, test::big_endian(3, 4) + "u=1");
    }
    return f.is_over(f.ids);
  });
  const auto all = turns(f.heard);
  ASSERT_THAT(order(all), ElementsAre(1, 3, 1));
  EXPECT_EQ(all[1].size, kWhole.size());
}

// RFC 9218 8: what the server does not speak of stays as the client has it.
TEST(Http2Turns, TheServersWordOverridesTheClients) {
  struct {
    const char* first;
    const char* told;
    const char* second;
    std::vector<std::int32_t> order;
  } const cases[] = {
      {"u=1", "u=5", "u=3", {3, 1}},           {"u=5", "u=1", "u=3", {1, 3}},      {"u=1", "i", "u=2", {1, 3}},
      {"u=1", "i=?0", "u=2", {1, 3}},          {"u=1", "nonsense", "u=2", {1, 3}}, {"u=1", "u=9", "u=2", {1, 3}},
      {"u=1", "u=5;because=x", "u=3", {3, 1}}, {"u=2, i", "i=?0", "u=2", {1, 3}},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(std::string(each.first) + " told " + each.told);
    Http2Fixture f;
    f.ask({large(each.first, each.told), large(each.second)});
    EXPECT_EQ(order(turns(f.heard)), each.order);
  }
}

TEST(Http2Turns, TheServersUrgencyLeavesSharingToTheClient) {
  Http2Fixture f;
  f.ask({large("u=1, i", "u=3"), large("u=3, i")});
  EXPECT_GT(turns(f.heard).size(), 20U);
}

// Whoever waits for its turn is not one that takes nothing.
TEST(Http2Turns, WaitingForOnesTurnIsNoFaultOfTheClients) {
  Http2Fixture f;
  f.talk([&](Client& client) {
    if (f.ids.empty()) {
      f.ids = {client.ask(large("u=1")), client.ask(large("u=2"))};
    } else {
      f.advance(f.options.send_timeout / 2 + kTick);
    }
    return f.is_over(f.ids);
  });
  for (const std::int32_t id : f.ids) EXPECT_EQ(f.client.answer(id).body, kWhole);
  ASSERT_THAT(f.lines.all, SizeIs(2));
  for (const Told& line : f.lines.all) EXPECT_EQ(line.termination, "ok");
}

}  // namespace
}  // namespace rproxy::downstream
