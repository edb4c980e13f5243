// What /metrics says.
#include "admin/metrics_page.h"

#include <set>
#include <sstream>

#include "unit/admin/admin_fixture.h"

namespace rproxy::admin {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string page(AdminFixture& f) { return metrics_page(f.subject, f.loop.loop().now()); }

TEST(MetricsPage, SumsWhatTheWorkersHaveCounted) {
  AdminFixture f;
  const auto& catalogue = *f.subject.serving.catalogue;
  for (std::size_t worker : {0, 1}) {
    auto& route = catalogue.routes()[0].series->of(worker);
    route.requests.count(200);
    route.requests.count(404);
    route.bytes_sent.add(100);
    route.duration.observe(std::chrono::microseconds(700));
    catalogue.listeners()[0].series->of(worker).accepted.add();
    catalogue.terminations()->of(worker).count("client_closed");
    f.subject.serving.upstreams[0]->endpoints()->endpoints()[1]->series.of(worker).fail(metrics::Failure::kTimeout);
  }
  catalogue.unmatched()->of(0).requests.count(404);
  const std::string text = page(f);
  for (const char* line :
       {"rproxy_requests_total{route=\"shop\",code=\"2xx\"} 2\n",
        "rproxy_requests_total{route=\"img\",code=\"2xx\"} 0\n",
        "rproxy_requests_total{route=\"_none\",code=\"4xx\"} 1\n", "rproxy_response_bytes_total{route=\"shop\"} 200\n",
        "rproxy_request_duration_seconds_bucket{route=\"shop\",le=\"0.001\"} 2\n",
        "rproxy_connections_accepted_total{listener=\":80\"} 2\n", "rproxy_connections_open 7\n",
        "rproxy_requests_failed_total{termination=\"client_closed\"} 2\n", "rproxy_build_info{version=\"1.2.3\"} 1\n",
        "rproxy_endpoint_failures_total{upstream=\"shop\",endpoint=\"10.0.0.2:8001\",kind=\"timeout\"} 2\n",
        "rproxy_endpoint_state{upstream=\"shop\",endpoint=\"10.0.0.1:8001\",state=\"available\"} 1\n",
        "rproxy_endpoint_state{upstream=\"a b/ü\",endpoint=\"unix:/run/app.sock\",state=\"ejected\"} 0\n",
        "rproxy_upstream_endpoints_available{upstream=\"shop\"} 2\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST(MetricsPage, SumsWhatIsOverTheNumberUnderAnotherName) {
  AdminFixture f;
  auto config = std::make_shared<config::Config>(*f.subject.serving.config);
  config->admin.max_series = 2;
  f.subject.serving.config = config;
  f.subject.serving.catalogue =
      std::make_shared<metrics::Catalogue>(std::vector<std::string>{"a", "b", "c", "d"}, std::vector<std::string>{});
  for (const auto& route : f.subject.serving.catalogue->routes()) route.series->of(0).requests.count(200);
  const std::string text = page(f);
  EXPECT_THAT(text, HasSubstr("rproxy_requests_total{route=\"b\",code=\"2xx\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("rproxy_requests_total{route=\"_other\",code=\"2xx\"} 2\n"));
  EXPECT_THAT(text, Not(HasSubstr("route=\"c\"")));
  EXPECT_THAT(text,
              HasSubstr("rproxy_endpoint_state{upstream=\"_other\",endpoint=\"_other\",state=\"available\"} 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("a b/ü\",endpoint")));
}

// A family is told once, and no two samples have the same name and labels, whatever the configuration has twice.
TEST(MetricsPage, HasEachSampleOnce) {
  AdminFixture f;
  f.subject.serving.upstreams.push_back(f.subject.serving.upstreams[0]);
  f.subject.serving.catalogue = std::make_shared<metrics::Catalogue>(std::vector<std::string>{"shop", "shop", "_none"},
                                                                     std::vector<std::string>{":80", ":80"});
  f.subject.serving.catalogue->routes()[0].series->of(0).requests.count(200);
  EXPECT_THAT(page(f), HasSubstr("rproxy_requests_total{route=\"shop\",code=\"2xx\"} 1\n"));
  std::set<std::string> seen;
  std::istringstream lines(page(f));
  for (std::string line; std::getline(lines, line);) {
    const std::string what = line.starts_with("#") ? line : line.substr(0, line.rfind(' '));
    EXPECT_TRUE(seen.insert(what).second) << line;
  }
  EXPECT_GT(seen.size(), 100U);
}

TEST(Catalogue, GoesOnCountingWhatAReloadKeeps) {
  const metrics::Catalogue before({"a", "b"}, {":80"});
  before.routes()[1].series->of(0).requests.count(200);
  const metrics::Catalogue after({"b", "c"}, {":80"}, &before);
  EXPECT_EQ(after.routes()[0].series, before.routes()[1].series);
  EXPECT_NE(after.routes()[1].series, before.routes()[0].series);
  EXPECT_EQ(after.listeners()[0].series, before.listeners()[0].series);
  EXPECT_EQ(after.unmatched(), before.unmatched());
}

}  // namespace
}  // namespace rproxy::admin
