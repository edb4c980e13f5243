// Every call of the admin endpoint, as a client sees it.
#include "unit/admin/admin_fixture.h"

namespace rproxy::admin {
namespace {

using balance::AdminState;
using balance::Health;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kFirst = "/upstreams/shop/endpoints/10.0.0.1:8001";

TEST(AdminApi, AnswersEachMalformedCallWithAProblemOfAFittingStatus) {
  struct Case {
    const char* method;
    std::string path;
    std::string content;
    int status;
  };
  AdminFixture f;
  const std::string first = kFirst;
  const std::string add = "/upstreams/shop/endpoints";
  const std::string long_content = "{\"weight\": 1" + std::string(Api::kContentMax, ' ') + "}";
  for (const Case& each : {
           Case{"GET", "/", "", 404},
           Case{"GET", "/status/", "", 404},
           Case{"GET", "/upstreams/none", "", 404},
           Case{"GET", "/upstreams/shop/endpoints/10.0.0.9:1", "", 404},
           Case{"DELETE", "/upstreams/none/endpoints/10.0.0.9:1", "", 404},
           Case{"POST", "/status", "", 405},
           Case{"GET", "/reload", "", 405},
           Case{"GET", first + "/drain", "", 405},
           Case{"GET", "/status?verbose=1", "", 400},
           Case{"GET", "/status", "x", 400},
           Case{"POST", first + "/drain", "{}", 400},
           Case{"PUT", first + "/weight", "", 400},
           Case{"PUT", first + "/weight", "{", 400},
           Case{"PUT", first + "/weight", "[1]", 400},
           Case{"PUT", first + "/weight", "{}", 400},
           Case{"PUT", first + "/weight", "{\"weight\": -1}", 400},
           Case{"PUT", first + "/weight", "{\"weight\": 1.5}", 400},
           Case{"PUT", first + "/weight", "{\"weight\": \"5\"}", 400},
           Case{"PUT", first + "/weight", "{\"weight\": 1001}", 400},
           Case{"PUT", first + "/weight", "{\"weight\": 99999999999999999999}", 400},
           Case{"PUT", first + "/weight", "{\"weight\": 5, \"for\": \"1h\"}", 400},
           Case{"PUT", first + "/weight", long_content, 413},
           Case{"POST", add, "{\"weight\": 1}", 400},
           Case{"POST", add, "{\"address\": \"app.internal:80\"}", 400},
           Case{"POST", add, "{\"address\": \"10.0.0.3:0\"}", 400},
           Case{"POST", add, "{\"address\": \":80\"}", 400},
           Case{"POST", add, "{\"address\": \"10.0.0.3:1\", \"backup\": 1}", 400},
           Case{"POST", add, "{\"address\": \"10.0.0.3:1\", \"backup\": true, \"priority\": 1}", 400},
           Case{"POST", add, "{\"address\": \"10.0.0.3:1\", \"wieght\": 1}", 400},
           Case{"POST", add, "{\"address\": \"10.0.0.1:8001\"}", 409},
           Case{"DELETE", "/upstreams/a%20b%2F%C3%BC/endpoints/unix:%2Frun%2Fapp.sock", "", 409},
       }) {
    const Reply reply = f.ask(each.method, each.path, each.content);
    EXPECT_EQ(reply.status, each.status) << each.method << " " << each.path << " " << each.content << reply.text;
    EXPECT_THAT(reply.head, HasSubstr("Content-Type: application/problem+json\r\n"));
    const auto json = reply.json();
    EXPECT_EQ(json.value("status", 0), each.status);
    EXPECT_FALSE(json.value("title", "").empty());
    EXPECT_FALSE(json.value("detail", "").empty());
  }
  EXPECT_EQ(f.size(0), 2U);
  EXPECT_EQ(f.state(0, 0).weight(), 1U);
  EXPECT_EQ(f.state(0, 0).admin_state(), AdminState::kEnabled);
}

TEST(AdminApi, TellsWhichMethodsThereAre) {
  AdminFixture f;
  EXPECT_THAT(f.ask("POST", kFirst).head, HasSubstr("Allow: GET, HEAD, DELETE\r\n"));
  EXPECT_THAT(f.ask("GET", "/reload").head, HasSubstr("Allow: POST\r\n"));
  const Reply head = f.ask("HEAD", "/status");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.text, "");
}

TEST(AdminApi, TellsHowAnEndpointIsAndWhy) {
  AdminFixture f;
  const TimePoint now = f.loop.loop().now();
  auto json = f.ask("GET", kFirst).json();
  EXPECT_EQ(json["state"], "available");
  EXPECT_EQ(json["reasons"].size(), 0U);
  EXPECT_EQ(json["latency_ms"], nullptr);
  f.state(0, 0).set_health(Health::kUnhealthy, "it answered 500", now);
  json = f.ask("GET", kFirst).json();
  EXPECT_EQ(json["state"], "unhealthy");
  EXPECT_EQ(json["reasons"][0], "its checks fail: it answered 500");
  f.state(0, 0).set_health(Health::kHealthy, "", now);
  for (int i = 0; i < 3; ++i) f.state(0, 0).record(balance::Outcome::kConnectFailed, {}, now);
  json = f.ask("GET", kFirst).json();
  EXPECT_EQ(json["state"], "ejected");
  EXPECT_EQ(json["ejected"]["cause"], "failures in a row");
  EXPECT_GT(json["ejected"]["left_ms"].get<int>(), 0);
  EXPECT_EQ(json["counts"]["ejections"], 1);
  json = f.ask("GET", "/upstreams").json();
  EXPECT_EQ(json["upstreams"][0]["endpoints"], 2);
  EXPECT_EQ(json["upstreams"][0]["available"], 1);
}

TEST(AdminApi, DrainsDisablesAndEnables) {
  AdminFixture f;
  struct Case {
    const char* verb;
    AdminState state;
    const char* word;
  };
  for (const Case& each :
       {Case{"drain", AdminState::kDraining, "draining"}, Case{"disable", AdminState::kDisabled, "disabled"},
        Case{"enable", AdminState::kEnabled, "available"}}) {
    const Reply reply = f.ask("POST", std::string(kFirst) + "/" + each.verb);
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(f.state(0, 0).admin_state(), each.state);
    EXPECT_EQ(reply.json()["state"], each.word);
  }
  EXPECT_EQ(f.state(0, 1).admin_state(), AdminState::kEnabled);
}

TEST(AdminApi, SetsWeights) {
  AdminFixture f;
  const Reply reply = f.ask("PUT", std::string(kFirst) + "/weight", "{\"weight\": 0}");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.json()["state"], "disabled");
  EXPECT_EQ(f.state(0, 0).weight(), 0U);
  (void)f.ask("PUT", std::string(kFirst) + "/weight", "{\"weight\": 1000}");
  EXPECT_EQ(f.state(0, 0).weight(), 1000U);
}

TEST(AdminApi, AddsAndRemovesEndpointsAndLeavesTheOthersAsTheyAre) {
  AdminFixture f;
  const auto before = f.subject.serving.upstreams[0]->endpoints()->endpoints()[1];
  const Reply added = f.ask("POST", "/upstreams/shop/endpoints",
                            "{\"address\": \"[::1]:9000\", \"weight\": 3, \"backup\": true, \"max_connections\": 10}");
  EXPECT_EQ(added.status, 201);
  EXPECT_EQ(added.json()["address"], "[::1]:9000");
  EXPECT_EQ(added.json()["priority"], "backup");
  EXPECT_EQ(f.size(0), 3U);
  EXPECT_EQ(f.state(0, 2).weight(), 3U);
  EXPECT_EQ(f.state(0, 2).max_connections(), 10U);
  const Reply removed = f.ask("DELETE", kFirst);
  EXPECT_EQ(removed.status, 204);
  EXPECT_EQ(removed.text, "");
  EXPECT_EQ(f.size(0), 2U);
  EXPECT_EQ(f.subject.serving.upstreams[0]->endpoints()->endpoints()[0], before);
  EXPECT_EQ(f.ask("GET", kFirst).status, 404);
}

// What names them would put the list back.
TEST(AdminApi, LeavesTheListOfDiscoveredServersToTheirDiscovery) {
  AdminFixture f;
  f.subject.serving.upstreams.push_back(AdminFixture::make_upstream("dns", {"localhost:80", "127.0.0.9:80"}));
  EXPECT_EQ(f.ask("POST", "/upstreams/dns/endpoints", "{\"address\": \"10.0.0.3:80\"}").status, 409);
  EXPECT_EQ(f.ask("DELETE", "/upstreams/dns/endpoints/127.0.0.9:80").status, 409);
  EXPECT_EQ(f.ask("POST", "/upstreams/dns/endpoints/127.0.0.9:80/drain").status, 200);
}

TEST(AdminApi, IsReadyWhileSomeUpstreamCanServe) {
  AdminFixture f;
  EXPECT_EQ(f.ask("GET", "/readyz").status, 200);
  for (int i : {0, 1}) f.state(0, i).set_admin_state(AdminState::kDisabled, f.loop.loop().now());
  EXPECT_EQ(f.ask("GET", "/readyz").status, 200);
  f.state(1, 0).set_admin_state(AdminState::kDisabled, f.loop.loop().now());
  EXPECT_EQ(f.ask("GET", "/readyz").status, 503);
  EXPECT_EQ(f.ask("GET", "/healthz").status, 200);
  f.state(1, 0).set_admin_state(AdminState::kEnabled, f.loop.loop().now());
  f.draining = true;
  EXPECT_EQ(f.ask("GET", "/readyz").json()["detail"], "draining");
  EXPECT_EQ(f.ask("GET", "/status").json()["unready_reason"], "draining");
}

TEST(AdminApi, ShowsStatusAndConfiguration) {
  AdminFixture f;
  const auto status = f.ask("GET", "/status").json();
  EXPECT_EQ(status["version"], "1.2.3");
  EXPECT_EQ(status["connections"]["open"], 7);
  EXPECT_EQ(status["configuration"]["routes"], 2);
  const Reply config = f.ask("GET", "/config");
  EXPECT_EQ(config.text, "[server]\n");
  EXPECT_THAT(config.head, HasSubstr("Cache-Control: no-store\r\n"));
}

TEST(AdminApi, AnswersAReloadWithWhatHasChangedOrWithWhyNothingHas) {
  AdminFixture f;
  f.outcome = ReloadOutcome{true, "2 routes added"};
  Reply reply = f.ask("POST", "/reload");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.json()["changed"], "2 routes added");
  f.outcome = ReloadOutcome{false, "error[RP1002]: there is no key server\n --> a.toml:3:1"};
  reply = f.ask("POST", "/reload");
  EXPECT_EQ(reply.status, 422);
  EXPECT_THAT(reply.json()["detail"].get<std::string>(), HasSubstr("a.toml:3:1"));
}

// The answer comes to nobody, and harms nothing.
TEST(AdminApi, OutlivesAClientThatDoesNotWaitForItsReload) {
  AdminFixture f;
  f.outcome.reset();
  f.options.keep_alive_timeout = Duration{100};
  EXPECT_EQ(f.ask("POST", "/reload").status, 0);
  f.waiting({true, ""});
  EXPECT_EQ(f.ask("GET", "/healthz").status, 200);
}

TEST(AdminGate, LetsThroughWhoBringsTheTokenOnce) {
  AdminFixture f;
  struct Case {
    const char* fields;
    int status;
  };
  for (const Case& each :
       {Case{"", 401}, Case{"Authorization: Bearer 0123456789abcdef\r\n", 200},
        Case{"authorization: bearer 0123456789abcdef\r\n", 200},
        Case{"Authorization: Bearer 0123456789abcdeF\r\n", 401},
        Case{"Authorization: Bearer 0123456789abcdef0\r\n", 401},
        Case{"Authorization: Bearer 0123456789abcde\r\n", 401}, Case{"Authorization: Bearer \r\n", 401},
        Case{"Authorization: Basic 0123456789abcdef\r\n", 401}, Case{"Authorization: 0123456789abcdef\r\n", 401},
        Case{"Authorization: Bearer 0123456789abcdef0123456789abcdef\r\n", 401},
        Case{"Authorization: Bearer wrong-wrong-wrong\r\nAuthorization: Bearer 0123456789abcdef\r\n", 401}}) {
    const Reply reply = f.ask("GET", "/healthz", {}, each.fields, true);
    EXPECT_EQ(reply.status, each.status) << each.fields;
    if (each.status == 401) EXPECT_THAT(reply.head, HasSubstr("WWW-Authenticate: Bearer"));
    EXPECT_THAT(reply.text, Not(HasSubstr("0123456789")));
  }
}

TEST(AdminGate, ComparesWhole) {
  EXPECT_TRUE(is_same_secret("abc", "abc"));
  for (const char* told : {"", "ab", "abcd", "abcabc", "xbc", "abx"}) EXPECT_FALSE(is_same_secret("abc", told)) << told;
}

}  // namespace
}  // namespace rproxy::admin
