#include "server/recorder.h"

#include <gtest/gtest.h>

#include "support/test_loop.h"

namespace rproxy::server {
namespace {

struct Lines final : exchange::Observer {
  void finished(const exchange::Request&, const exchange::Outcome&) override { ++count; }
  int count = 0;
};

struct Fixture {
  Fixture() {
    request.loop = &loop.loop();
    request.trace.start = loop.loop().now() - std::chrono::milliseconds(3);
  }
  test::TestLoop loop;
  metrics::Catalogue catalogue{{"r"}, {}};
  exchange::Request request;
};

TEST(Recorder, CountsAnExchangeForItsRouteAndHandsItOn) {
  Fixture f;
  Lines lines;
  Recorder recorder(f.catalogue, 0, &lines);
  metrics::RouteSeries& route = f.catalogue.routes()[0].series->of(0);
  f.request.trace.series = &route;
  recorder.finished(f.request, {201, 11, 22, 3, "ok"});
  recorder.hand_on_to(nullptr);
  recorder.finished(f.request, {503, 1, 2, 0, "no_endpoint"});
  EXPECT_EQ(lines.count, 1);
  EXPECT_EQ(route.requests.value(2), 1U);
  EXPECT_EQ(route.requests.value(5), 1U);
  EXPECT_EQ(route.bytes_received.value(), 12U);
  EXPECT_EQ(route.bytes_sent.value(), 24U);
  EXPECT_EQ(route.duration.count(), 2U);
  EXPECT_EQ(route.duration.sum().count(), 6'000);
  metrics::WordCounters::Totals totals;
  f.catalogue.terminations()->add_to(totals);
  EXPECT_EQ(totals, (metrics::WordCounters::Totals{{"no_endpoint", 1}}));
}

TEST(Recorder, CountsWhatNoRouteHasTakenByItself) {
  Fixture f;
  Recorder recorder(f.catalogue, 1, nullptr);
  recorder.finished(f.request, {404, 0, 0, 0, "ok"});
  EXPECT_EQ(f.catalogue.unmatched()->of(1).requests.value(4), 1U);
  EXPECT_EQ(f.catalogue.routes()[0].series->of(1).requests.value(4), 0U);
}

}  // namespace
}  // namespace rproxy::server
