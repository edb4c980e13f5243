// What the log tells of a reload.
#include "server/change_summary.h"

#include <gtest/gtest.h>

#include "config/load.h"

namespace rproxy::server {
namespace {

std::string effective(const std::string& text) {
  const auto loaded =
      config::load_text("t.toml", "[listen]\nhttp = \":80\"\n" + text, [](std::string_view) { return std::nullopt; });
  for (const auto& diagnostic : loaded.diagnostics) ADD_FAILURE() << config::render(diagnostic, false);
  return config::render_effective(loaded);
}

constexpr const char* kApp = "[upstreams.app]\nservers = [\"10.0.0.1:80\"]\n";
constexpr const char* kRoute = "[[routes]]\nmatch = \"*\"\nupstream = \"app\"\n";

TEST(ChangeSummary, NamesWhatIsOtherwise) {
  const std::string app = kApp;
  const std::string route = kRoute;
  const std::string respond = "[[routes]]\nmatch = \"*/x\"\nrespond = { status = 200, headers = { a = \"b\" } }\n";
  const std::string other = "[[routes]]\nmatch = \"*/x\"\nrespond = { status = 200, headers = { a = \"c\" } }\n";
  struct Case {
    std::string before, after, told;
  };
  const Case cases[] = {
      {app + route, app + route, "nothing"},
      {app + route, "\n# moved\n" + app + "\n\n" + route, "nothing"},
      {app + route, app + "max_head = \"8KiB\"\n" + route, "upstreams.app"},
      {app + route, app + "[upstreams.app.pool]\nmax_idle = 1\n" + route, "upstreams.app"},
      {app + route, app + "[upstreams.app.tls]\nverify = false\n" + route, "upstreams.app"},
      {app + route,
       app + route + "[upstreams.\"a.b\"]\nservers = [\"10.0.0.1:80\"]\n" + respond +
           "[[routes]]\nmatch = \"*/y\"\nupstream = \"a.b\"\n",
       "upstreams.\"a.b\" added, 2 routes added"},
      {app + route + respond, app + route, "1 routes removed"},
      {app + route + respond, app + route + other, "1 routes changed"},
      {app + route + respond, app + respond + route, "nothing"},
      {app + route, app + route + "[server]\nlog_level = \"warn\"\n[client]\nmax_body = \"1MiB\"\n", "client, server"},
      {app + route, app + route + "[[listeners]]\naddress = \":81\"\n", "1 listeners added"},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(change_summary(effective(each.before), effective(each.after)), each.told) << each.after;
  }
}

TEST(ChangeSummary, NamesAnUpstreamThatIsGone) {
  const std::string two = std::string(kApp) + "[upstreams.old]\nservers = [\"10.0.0.1:80\"]\n" + kRoute +
                          "[[routes]]\nmatch = \"*/x\"\nupstream = \"old\"\n";
  EXPECT_EQ(change_summary(effective(two), effective(std::string(kApp) + kRoute)),
            "upstreams.old removed, 1 routes removed");
}

}  // namespace
}  // namespace rproxy::server
