// From a configuration to what workers run on, or a reason why not that names the thing.
#include "server/generation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "config/load.h"
#include "support/temporary_directory.h"
#include "support/test_certificates.h"

namespace rproxy::server {
namespace {

using testing::HasSubstr;

config::Config config_of(const std::string& text) {
  auto loaded = config::load_text("test.toml", text, [](std::string_view) { return std::nullopt; });
  std::string problems;
  for (const auto& diagnostic : loaded.diagnostics) problems += config::render(diagnostic, false);
  if (!loaded.ok()) throw std::runtime_error(problems);
  return std::move(loaded.config);
}

constexpr const char* kPlain = R"(
[listen]
http = "127.0.0.1:0"
[upstreams.one]
servers = ["127.0.0.1:8001"]
[upstreams.two]
servers = ["127.0.0.1:8002", "[::1]:8003", "unix:/run/app.sock"]
[[routes]]
match = "a.example/*"
upstream = "two"
[[routes]]
match = "b.example/*"
redirect = "https://a.example{uri}"
[[routes]]
match = "*"
upstream = "one"
rewrite = { strip_prefix = "/app" }
hide_backend = false
)";

TEST(Generation, HasAPlanForEveryRouteThatForwards) {
  const auto made = Generation::build(config_of(kPlain));
  ASSERT_TRUE(made.has_value()) << describe(made.error());
  const Generation& generation = **made;
  ASSERT_EQ(generation.plans().size(), 3U);
  ASSERT_NE(generation.plans()[0], nullptr);
  EXPECT_EQ(generation.plans()[0]->action.upstream, "two");
  EXPECT_FALSE(generation.plans()[0]->rewrite.has_value());
  EXPECT_EQ(generation.plans()[0]->hiders.size(), 1U);
  EXPECT_EQ(generation.plans()[1], nullptr);
  ASSERT_NE(generation.plans()[2], nullptr);
  EXPECT_TRUE(generation.plans()[2]->rewrite.has_value());
  EXPECT_TRUE(generation.plans()[2]->hiders.empty());
  EXPECT_EQ(generation.upstreams()[generation.upstream_index("one")]->endpoints()->states().size(), 1U);
  EXPECT_EQ(generation.upstreams()[generation.upstream_index("two")]->endpoints()->states().size(), 3U);
}

TEST(Generation, OutlivesTheConfigurationItWasBuiltFrom) {
  auto config = std::make_unique<config::Config>(config_of(kPlain));
  const auto made = Generation::build(*config);
  config.reset();
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ((*made)->config().routes.size(), 3U);
  EXPECT_EQ((*made)->config().upstreams.size(), 2U);
}

struct Files {
  test::TemporaryDirectory directory;
  test::TestAuthority authority;
  std::string cert, key, other_key;

  explicit Files(const test::CertificateSpec& spec = {.names = {"DNS:shop.com"}}) {
    const auto pair = authority.issue(spec);
    cert = directory.write("site.pem", pair.cert);
    key = directory.write("site.key", pair.key);
    other_key = directory.write("other.key", authority.issue({}).key);
  }
  config::Config config() const {
    auto made = config_of(kPlain);
    made.listeners[0].tls.emplace().certificates.push_back({cert, key});
    return made;
  }
};

TEST(Generation, BeginsWithTheServersItFinds) {
  const test::TemporaryDirectory directory;
  auto config = config_of(kPlain);
  const std::string endless(70, 'x');  // no label of a name is that long
  config.upstreams[0].endpoints[0].address = HostPort::parse(endless + ":80").value();
  config.upstreams[0].endpoints.push_back({HostPort::parse("localhost:8001").value()});
  config.upstreams[0].discovery.family = net::AddressFamily::kIpv4;
  config.upstreams[1].sources.push_back(
      {upstream::ServerSource::Kind::kFile, directory.write("two.toml", "servers = [\"127.0.0.1:8009\"]\n"), 0});
  const auto made = Generation::build(std::move(config));
  ASSERT_TRUE(made.has_value()) << describe(made.error());
  std::vector<std::string> names;
  for (const auto& upstream : (*made)->upstreams()) {
    for (const auto& endpoint : upstream->endpoints()->endpoints()) names.push_back(endpoint->state.name());
  }
  EXPECT_THAT(names, testing::ElementsAre("127.0.0.1:8001", "127.0.0.1:8002", "[::1]:8003", "unix:/run/app.sock",
                                          "127.0.0.1:8009"));
}

TEST(Generation, KeepsTheServersThatAreKnownWhereTheyCanNotBeFoundAgain) {
  const test::TemporaryDirectory directory;
  const std::string path = directory.write("two.list", "127.0.0.1:8009\n");
  auto config = config_of(kPlain);
  config.upstreams[1].sources.push_back({upstream::ServerSource::Kind::kFile, path, 0});
  config.upstreams[1].discovery.required = true;
  const auto first = Generation::build(config);
  ASSERT_TRUE(first.has_value()) << describe(first.error());
  directory.write("two.list", "half a li");
  const auto second = Generation::build(config, first->get());
  ASSERT_TRUE(second.has_value()) << describe(second.error());
  const auto before = (*first)->upstreams()[1]->endpoints();
  const auto after = (*second)->upstreams()[1]->endpoints();
  ASSERT_EQ(after->endpoints().size(), 4U);
  EXPECT_TRUE(std::ranges::equal(before->endpoints(), after->endpoints()));
}

TEST(Generation, SaysWhatItCannotBuild) {
  const Files files;
  const std::string none = files.directory.path("none.pem");
  const std::string endless(70, 'x');  // no label of a name is that long
  struct Case {
    const char* what;
    std::function<void(config::Config&)> break_it;
    ErrorCode code;
    std::string named;
  };
  const Case cases[] = {
      {"a name nobody resolves, and that is required",
       [&](auto& c) {
         c.upstreams[1].endpoints[0].address = HostPort::parse(endless + ":80").value();
         c.upstreams[1].discovery.required = true;
       },
       ErrorCode::kResolveFailed, "upstream two: " + endless},
      {"a list that is not there, and that is required",
       [&](auto& c) {
         c.upstreams[1].sources.push_back({upstream::ServerSource::Kind::kFile, none, 0});
         c.upstreams[1].discovery.required = true;
       },
       ErrorCode::kResolveFailed, "upstream two: " + none + ": No such file"},
      {"a pattern",
       [](auto& c) {
         c.routes[0].rule.match.path = {route::PathMatch::Kind::kRegex, "("};
       },
       ErrorCode::kConfig, "route a.example/*: "},
      {"a host", [](auto& c) { c.routes[0].rule.match.host = "a b"; }, ErrorCode::kConfig, "route a.example/*: "},
      {"the same match twice", [](auto& c) { c.routes[1].rule.match = c.routes[0].rule.match; }, ErrorCode::kConfig,
       "route b.example/*: "},
      {"a rewrite", [](auto& c) { std::get<proxy::ForwardAction>(c.routes[0].action).rewrite.regex = "("; },
       ErrorCode::kConfig, ""},
      {"no certificate", [&](auto& c) { c.listeners[0].tls->certificates[0].cert = none; }, ErrorCode::kFile, none},
      {"no key", [&](auto& c) { c.listeners[0].tls->certificates[0].key = none; }, ErrorCode::kFile, none},
      {"another's key", [&](auto& c) { c.listeners[0].tls->certificates[0].key = files.other_key; }, ErrorCode::kConfig,
       files.other_key},
      {"ciphers", [](auto& c) { c.listeners[0].tls->ciphers = "NONSENSE"; }, ErrorCode::kConfig, "ciphers"},
      {"ciphersuites", [](auto& c) { c.listeners[0].tls->ciphersuites = "NONSENSE"; }, ErrorCode::kConfig,
       "ciphersuites"},
      {"groups", [](auto& c) { c.listeners[0].tls->groups = "NONSENSE"; }, ErrorCode::kConfig, "groups"},
      {"no authorities",
       [&](auto& c) { c.upstreams[0].tls = {.enabled = true, .verify = true, .server_name = "", .ca_file = none}; },
       ErrorCode::kFile, none},
      {"authorities that are none",
       [&](auto& c) {
         c.upstreams[0].tls = {.enabled = true, .verify = true, .server_name = "", .ca_file = files.key};
       },
       ErrorCode::kConfig, files.key},
  };
  ASSERT_TRUE(Generation::build(files.config()).has_value());
  for (const Case& each : cases) {
    auto config = files.config();
    each.break_it(config);
    const auto made = Generation::build(std::move(config));
    ASSERT_FALSE(made.has_value()) << each.what;
    EXPECT_EQ(made.error().code, each.code) << each.what << ": " << describe(made.error());
    EXPECT_EQ(made.error().side, Side::kLocal) << each.what;
    EXPECT_THAT(made.error().context, HasSubstr(each.named)) << each.what;
  }
}

TEST(Generation, ReadsNoAuthoritiesThatNobodyAsksFor) {
  for (const bool enabled : {false, true}) {
    auto config = config_of(kPlain);
    config.upstreams[0].tls = {.enabled = enabled, .verify = !enabled, .server_name = "", .ca_file = "/none"};
    EXPECT_TRUE(Generation::build(std::move(config)).has_value());
  }
}

TEST(Generation, TakesRoutesThatTie) {
  auto config = config_of(kPlain);
  config.routes[0].rule.match.headers = {{"A", route::ValueMatch::Kind::kPresent, ""}};
  config.routes[1].rule.match = config.routes[0].rule.match;
  config.routes[1].rule.match.headers = {{"B", route::ValueMatch::Kind::kPresent, ""}};
  EXPECT_TRUE(Generation::build(std::move(config)).has_value());
}

// Every way a backend may name itself is known from the configuration.
TEST(Generation, HidesABackendInEverySpelling) {
  auto config = config_of(R"(
[listen]
http = "127.0.0.1:0"
[upstreams.app]
servers = ["127.0.0.1:8001", "[::1]:8002", "localhost:8003"]
tls = { verify = false, server_name = "inside.example" }
[[routes]]
match = "*"
upstream = "app"
host = "app.internal:9000"
rewrite = { strip_prefix = "/app" }
)");
  const auto made = Generation::build(std::move(config));
  ASSERT_TRUE(made.has_value()) << describe(made.error());
  const std::pair<const char*, const char*> cases[] = {
      {"http://127.0.0.1:8001/x", "https://shop.com/app/x"},
      {"http://127.0.0.1/x", "https://shop.com/app/x"},
      {"http://[::1]:8002/x", "https://shop.com/app/x"},
      {"http://[::1]/x", "https://shop.com/app/x"},
      {"http://localhost:8003/x", "https://shop.com/app/x"},
      {"http://LOCALHOST/x", "https://shop.com/app/x"},
      {"https://inside.example/x", "https://shop.com/app/x"},
      {"https://app.internal:9000/x", "https://shop.com/app/x"},
      {"https://127.0.0.2/x", "https://127.0.0.2/x"},
      {"https://elsewhere.example/x", "https://elsewhere.example/x"},
  };
  for (const auto& [location, seen] : cases) {
    Arena arena;
    exchange::Request request;
    request.arena = &arena;
    request.head.scheme = "https";
    request.client_authority = "shop.com";
    http::ResponseHead head;
    head.fields.add("Location", location);
    (*made)->plans()[0]->hiders[0].apply(head, request);
    EXPECT_EQ(head.fields.get(http::FieldId::kLocation), seen) << location;
  }
}

}  // namespace
}  // namespace rproxy::server
