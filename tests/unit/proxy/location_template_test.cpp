#include "proxy/location_template.h"

#include <gtest/gtest.h>

namespace rproxy::proxy {
namespace {

TEST(LocationTemplate, TakesFromTheRequestWhatItNames) {
  struct Case {
    const char* text;
    const char* query;  // null: none
    const char* expected;
  };
  const Case cases[] = {
      {"https://new.com/", "a=1", "https://new.com/"},
      {"https://new.com{uri}", "a=1", "https://new.com/x/y?a=1"},
      {"https://new.com{uri}", nullptr, "https://new.com/x/y"},
      {"{scheme}://{host}:8443{path}", "a=1", "http://shop.com:8443/x/y"},
      {"/search?{query}", "q=1", "/search?q=1"},
      {"/search?{query}", nullptr, "/search"},
      {"/search?{query}#top", "", "/search#top"},
      {"/search?a=1&{query}", nullptr, "/search?a=1&"},
      {"{uri}", "", "/x/y?"},
      {"/%20", nullptr, "/%20"},
  };
  for (const Case& each : cases) {
    Arena arena;
    exchange::Request request;
    request.arena = &arena;
    request.head.scheme = "http";
    request.head.host = "shop.com";
    request.head.path = "/rewritten";
    request.client_path = "/x/y";
    request.head.has_query = each.query != nullptr;
    request.head.query = each.query != nullptr ? each.query : "";
    const auto compiled = LocationTemplate::compile(each.text);
    ASSERT_TRUE(compiled.has_value()) << each.text;
    EXPECT_EQ(compiled->fill(request).value(), each.expected) << each.text;
  }
}

TEST(LocationTemplate, RefusesWhatWouldLeadElsewhere) {
  for (const char* text : {"", "shop.com/x", "shop.com:80/x", "{host}/x", "/{hostname}", "/{uri", "/}", "/a b",
                           "/a\r\nSet-Cookie:x", "/%2", "/%zz", "/\xc3\xa9", "/a\\b", "{query}"}) {
    EXPECT_FALSE(LocationTemplate::compile(text).has_value()) << text;
  }
}

TEST(LocationTemplate, NeedsAHostWhereItNamesOne) {
  Arena arena;
  exchange::Request request;
  request.arena = &arena;
  request.head.scheme = "http";
  request.client_path = "/";
  const auto filled = LocationTemplate::compile("https://{host}/").value().fill(request);
  ASSERT_FALSE(filled.has_value());
  EXPECT_EQ(filled.error().side, Side::kClient);
}

}  // namespace
}  // namespace rproxy::proxy
