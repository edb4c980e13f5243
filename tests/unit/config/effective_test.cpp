// The configuration as it took effect: complete, readable as a configuration again, and without secrets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "config/load.h"

namespace rproxy::config {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::optional<std::string> variable(std::string_view name) {
  if (name == "PASSWORD") return "hunter2";
  if (name == "PORT") return "8001";
  return std::nullopt;
}

Loaded loaded(const std::string& text) {
  Loaded made = load_text("test.toml", text, variable);
  std::string problems;
  for (const auto& diagnostic : made.diagnostics) {
    if (diagnostic.severity == Severity::kError) problems += render(diagnostic, false);
  }
  EXPECT_EQ(problems, "") << text;
  return made;
}

constexpr const char* kMinimal = R"(
[listen]
http = "127.0.0.1:80"
[upstreams.app]
servers = ["10.0.0.1:8001"]
[[routes]]
match = "*"
upstream = "app"
)";

constexpr const char* kRich = R"(
access_log = "off"
[server]
workers = 3
[listen]
https = ["127.0.0.1:443", "[::1]:443"]
[tls]
cert = "/tls/a.pem"
key = "/tls/a.key"
min_version = "1.3"
[[listeners]]
address = "unix:/run/x.sock"
unix_mode = "0600"
[client]
head_timeout = "0"
max_head = "8KiB"
duplicate_slashes = "keep"
[upstreams.app]
servers = [{ address = "10.0.0.1:${PORT}", weight = 2 }, "10.0.0.2:8001"]
balance = "least_conn"
retry = false
pool = { max_idle = 5 }
[upstreams."a.b"]
servers = ["10.0.0.3:80"]
ejection = false
[defaults]
request_timeout = "5s"
[[routes]]
match = { host = "shop.com", path = "/a/*", header = { "X A" = true, B = { regex = "x\\d+" } }, method = ["GET"] }
upstream = "app"
rewrite = { strip_prefix = "/a" }
[[routes]]
match = "b.example/*"
upstream = "a.b"
hide_backend = false
[[routes]]
match = "c.example/*"
respond = { status = 403, body = "say \"${PASSWORD}\" or $$5" }
[[routes]]
match = "*"
redirect = "https://shop.com{uri}"
[[routes]]
match = "d.example/*"
files = "/srv/d"
[[routes]]
match = "e.example/*"
files = { root = "/srv/e", index = [], fallback = "/x.html", precompressed = ["gzip", "br"], symlinks = "refuse", types = { ".x" = "text/x" } }
rewrite = { strip_prefix = "/e" }
[forwarding]
trusted_proxies = ["10.0.0.0/8"]
)";

TEST(Effective, ReadsBackAsTheSameConfiguration) {
  for (const char* text : {kMinimal, kRich}) {
    const std::string once = render_effective(loaded(text));
    const Loaded again = loaded(once);
    ASSERT_TRUE(again.ok()) << once;
    const Config first = loaded(text).config;
    const Config& second = again.config;
    EXPECT_EQ(first.access_log, second.access_log);
    EXPECT_EQ(first.forwarding, second.forwarding);
    EXPECT_EQ(first.server.workers, second.server.workers);
    EXPECT_EQ(first.server.drain_timeout, second.server.drain_timeout);
    ASSERT_EQ(first.listeners.size(), second.listeners.size());
    for (std::size_t i = 0; i < first.listeners.size(); ++i) {
      EXPECT_EQ(first.listeners[i].listen, second.listeners[i].listen);
      EXPECT_EQ(first.listeners[i].tls, second.listeners[i].tls);
      EXPECT_EQ(first.listeners[i].redirect_https, second.listeners[i].redirect_https);
    }
    ASSERT_EQ(first.upstreams.size(), second.upstreams.size());
    for (std::size_t i = 0; i < first.upstreams.size(); ++i) {
      EXPECT_EQ(first.upstreams[i].name, second.upstreams[i].name);
      EXPECT_EQ(first.upstreams[i].endpoints, second.upstreams[i].endpoints);
      EXPECT_EQ(first.upstreams[i].ejection, second.upstreams[i].ejection);
      EXPECT_EQ(first.upstreams[i].pool, second.upstreams[i].pool);
      EXPECT_EQ(first.upstreams[i].retry, second.upstreams[i].retry);
      EXPECT_EQ(first.upstreams[i].tls, second.upstreams[i].tls);
      EXPECT_EQ(first.upstreams[i].policy, second.upstreams[i].policy);
    }
    ASSERT_EQ(first.routes.size(), second.routes.size());
    for (std::size_t i = 0; i < first.routes.size(); ++i) {
      EXPECT_EQ(first.routes[i].rule.match, second.routes[i].rule.match);
      ASSERT_EQ(first.routes[i].action.index(), second.routes[i].action.index());
      if (const auto* forward = std::get_if<proxy::ForwardAction>(&first.routes[i].action)) {
        const auto& other = std::get<proxy::ForwardAction>(second.routes[i].action);
        EXPECT_EQ(forward->upstream, other.upstream);
        EXPECT_EQ(forward->rewrite, other.rewrite);
        EXPECT_EQ(forward->hide_backend, other.hide_backend);
        EXPECT_EQ(forward->request_timeout, other.request_timeout);
      }
      if (const auto* files = std::get_if<files::Options>(&first.routes[i].action)) {
        EXPECT_EQ(*files, std::get<files::Options>(second.routes[i].action));
      }
      if (const auto* respond = std::get_if<proxy::RespondAction>(&first.routes[i].action)) {
        EXPECT_EQ(respond->body, std::get<proxy::RespondAction>(second.routes[i].action).body);
      }
    }
  }
}

TEST(Effective, ShowsNoSecretAndWhereEachValueIsFrom) {
  const std::string text = render_effective(loaded(kRich));
  EXPECT_THAT(text, Not(HasSubstr("hunter2")));
  EXPECT_THAT(text, HasSubstr("${PASSWORD}"));
  EXPECT_THAT(text, testing::ContainsRegex("workers = 3 +# test.toml:4\n"));
  EXPECT_THAT(text, testing::ContainsRegex("drain_timeout = \"30s\" +# default\n"));
  EXPECT_THAT(text, testing::ContainsRegex("request_timeout = \"5s\" +# test.toml:[0-9]+\n"));
}

// Nor one that the file has in plain: the text may be shown to others than the file.
TEST(Effective, ShowsNoSecretThatIsWrittenOut) {
  const std::string plain = "0123456789abcdef";
  const auto with = [&](const std::string& token) {
    return render_effective(loaded(kMinimal + ("[admin]\nlisten = \"127.0.0.1:9901\"\ntoken = \"" + token + "\"\n")));
  };
  EXPECT_THAT(with(plain), AllOf(HasSubstr("token = \"<redacted>\""), Not(HasSubstr(plain))));
  EXPECT_THAT(with("${PASSWORD}-0123456789"),
              AllOf(HasSubstr("token = \"${PASSWORD}-0123456789\""), Not(HasSubstr("hunter2"))));
}

TEST(Effective, LeavesNoLineWithoutAnOrigin) {
  const std::string text = render_effective(loaded(kRich));
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = text.find('\n', begin);
    const std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    if (line.empty() || line.front() == '[') continue;
    EXPECT_THAT(line, testing::ContainsRegex("^[a-z0-9_]+ = .*  # (default|test.toml:[0-9]+)$"));
  }
}

TEST(Keys, AreEachNamedOnceWithAMeaning) {
  std::vector<std::string> paths;
  for (const KeyInfo& key : all_keys()) {
    paths.push_back(key.path);
    EXPECT_NE(key.meaning, "") << key.path;
    EXPECT_NE(key.type, "") << key.path;
  }
  std::ranges::sort(paths);
  EXPECT_EQ(std::ranges::adjacent_find(paths), paths.end());
}

}  // namespace
}  // namespace rproxy::config
