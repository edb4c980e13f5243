#include "http/fields.h"

#include <gtest/gtest.h>

#include "base/arena.h"
#include "http/cookie.h"
#include "http/forwarded.h"
#include "http/hop_by_hop.h"
#include "http/negotiation.h"
#include "http/query.h"

namespace rproxy::http {
namespace {

using Lines = std::vector<std::pair<std::string_view, std::string_view>>;

Fields fields_of(const Lines& lines) {
  Fields fields;
  for (const auto& [name, value] : lines) fields.add(name, value);
  return fields;
}

std::string names_of(const Fields& fields) {
  std::string names;
  for (const Field& field : fields) names += (names.empty() ? "" : " ") + std::string(field.name);
  return names;
}

TEST(Fields, EveryKnownNameIsFoundInAnyCase) {
  for (int id = 1;; ++id) {
    const auto name = field_name(static_cast<FieldId>(id));
    if (name.empty()) break;
    std::string other(name);
    for (char& c : other) c = static_cast<char>(std::isupper(c) != 0 ? std::tolower(c) : std::toupper(c));
    EXPECT_EQ(static_cast<int>(field_id(name)), id) << name;
    EXPECT_EQ(static_cast<int>(field_id(other)), id) << other;
    if (static_cast<FieldId>(id) == FieldId::kXRequestId) break;
  }
  EXPECT_EQ(field_id("X-Nobody-Knows"), FieldId::kOther);
}

TEST(Fields, SetReplacesTheFirstAndDropsTheRest) {
  Fields fields = fields_of({{"A", "1"}, {"X-B", "2"}, {"x-b", "3"}, {"Via", "v"}, {"via", "w"}});
  fields.set("X-B", "4");
  fields.set(FieldId::kVia, "z");
  fields.set("New", "5");
  EXPECT_EQ(names_of(fields), "A X-B Via New");
  EXPECT_EQ(fields.find("x-b")->value, "4");
  EXPECT_EQ(fields.get(FieldId::kVia), "z");
}

TEST(HopByHop, LooksForNoMoreNamesThanAMessageHasFields) {
  std::string list;
  for (int i = 0; i < 10'000; ++i) list += "x,";
  list += "X-Hop";
  Fields fields = fields_of({{"Connection", list.c_str()}, {"X-Hop", "1"}});
  remove_hop_by_hop(fields, false);
  EXPECT_TRUE(fields.find("X-Hop"));
}

TEST(HopByHop, EndsHereWithWhatConnectionNames) {
  const std::pair<Lines, const char*> cases[] = {
      {{{"Connection", "X-Hop, close"}, {"X-Hop", "1"}, {"X-End", "2"}}, "X-End"},
      {{{"Connection", "x-a"}, {"connection", "x-b"}, {"X-A", ""}, {"X-B", ""}, {"X-C", ""}}, "X-C"},
      {{{"Keep-Alive", "5"}, {"Proxy-Connection", "x"}, {"TE", "trailers"}, {"Proxy-Authorization", "x"}, {"A", ""}},
       "A"},
      {{{"Connection", "Connection, keep-alive"}, {"Connection", "X-Hop"}, {"X-Hop", "1"}}, ""},
      {{{"Upgrade", "websocket"}, {"Connection", "upgrade"}}, ""},
  };
  for (const auto& [lines, left] : cases) {
    Fields fields = fields_of(lines);
    remove_hop_by_hop(fields, false);
    EXPECT_EQ(names_of(fields), left);
  }
  Fields upgrade = fields_of({{"Upgrade", "websocket"}, {"Connection", "upgrade"}});
  remove_hop_by_hop(upgrade, true);
  EXPECT_EQ(names_of(upgrade), "Upgrade");
}

TEST(HopByHop, KnowsWhatConnectionMayNotName) {
  const struct {
    const char* connection;
    bool nominates;
    bool of_all;
  } cases[] = {
      {"close", false, false}, {"keep-alive, Upgrade, TE", false, false},
      {"X-Hop", true, false},  {"close, cookie", true, true},
      {"Host", true, true},    {"x-forwarded-for", true, true},
  };
  for (const auto& each : cases) {
    const Fields fields = fields_of({{"Connection", "close"}, {"Connection", each.connection}});
    EXPECT_EQ(nominates_fields(fields), each.nominates) << each.connection;
    EXPECT_EQ(nominates_end_to_end_field(fields), each.of_all) << each.connection;
  }
}

TEST(Cookie, IsFoundByItsWholeName) {
  const Fields fields = fields_of({{"Cookie", "ab=1; a=2;  c=\"3\"; d"}, {"Cookie", "e=5;a=9"}});
  EXPECT_EQ(find_cookie(fields, "a"), "2");
  EXPECT_EQ(find_cookie(fields, "c"), "\"3\"");
  EXPECT_EQ(find_cookie(fields, "e"), "5");
  EXPECT_EQ(find_cookie(fields, "d"), std::nullopt);
  EXPECT_EQ(find_cookie(fields, "A"), std::nullopt);
}

TEST(Query, NamesAndValuesCompareDecoded) {
  EXPECT_EQ(find_query("a=1&b=2&b=3", "b"), "2");
  EXPECT_EQ(find_query("%61=1", "a"), "1");
  EXPECT_EQ(find_query("a&b=", "a"), "");
  EXPECT_EQ(find_query("ab=1", "a"), std::nullopt);
  EXPECT_TRUE(decodes_to("a%20b+c", "a b c"));
  EXPECT_FALSE(decodes_to("abc", "ab"));
  EXPECT_TRUE(decodes_to_prefix("a%62c", "ab"));
  EXPECT_EQ(decode_query("%zz%4"), "%zz%4");
}

TEST(Accept, ChoosesThePage) {
  const std::pair<const char*, PageType> cases[] = {
      {"", PageType::kPlain},
      {"*/*", PageType::kPlain},
      {"text/html", PageType::kHtml},
      {"application/json, */*;q=0.1", PageType::kJson},
      {"text/html;q=0.5, application/json;q=0.9", PageType::kJson},
      {"text/html;q=0", PageType::kPlain},
      {"text/*", PageType::kPlain},
      {"image/png", PageType::kPlain},
      {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", PageType::kHtml},
      {"TEXT/HTML; Q=1", PageType::kHtml},
      {",,;;q=,", PageType::kPlain},
  };
  for (const auto& [accept, type] : cases) EXPECT_EQ(preferred_page(fields_of({{"Accept", accept}})), type) << accept;
}

TEST(Forwarded, TheNearestThatIsNoProxyOfOursIsTheClient) {
  const auto ours = IpNetwork::parse("10.0.0.0/8").value();
  const std::pair<Lines, const char*> cases[] = {
      {{{"X-Forwarded-For", "203.0.113.9"}}, "203.0.113.9"},
      {{{"X-Forwarded-For", "1.1.1.1, 203.0.113.9, 10.0.0.1"}}, "203.0.113.9"},
      {{{"X-Forwarded-For", "1.1.1.1"}, {"X-Forwarded-For", "203.0.113.9"}}, "203.0.113.9"},
      {{{"X-Forwarded-For", "10.0.0.2, 10.0.0.1"}}, "10.0.0.2"},
      {{{"X-Forwarded-For", "1.1.1.1, unknown"}}, ""},
      {{{"X-Forwarded-For", "203.0.113.9:4711"}}, "203.0.113.9"},
      {{{"X-Forwarded-For", "[2001:db8::1]:4711"}}, "2001:db8::1"},
      {{{"Forwarded", "for=\"[2001:db8::1]\";proto=https, for=10.0.0.1"}}, "2001:db8::1"},
      {{{"Forwarded", "proto=https;For=203.0.113.9"}}, "203.0.113.9"},
      {{{"Forwarded", "for=_hidden"}}, ""},
      // A client's open quote swallows nothing of what a proxy appends.
      {{{"X-Forwarded-For", "\", 203.0.113.9"}}, "203.0.113.9"},
      {{{"X-Forwarded-For", "\"1.1.1.1\\, 203.0.113.9"}}, "203.0.113.9"},
      {{{"Forwarded", "for=\", for=203.0.113.9"}}, "203.0.113.9"},
      {{{"Forwarded", "\"\\\", for=\"[2001:db8::1]:80\", for=10.0.0.1"}}, "2001:db8::1"},
      {{}, ""},
  };
  for (const auto& [lines, client] : cases) {
    const auto found = rightmost_client(fields_of(lines), [&](const IpAddress& ip) { return ours.contains(ip); });
    EXPECT_EQ(found ? found->to_string() : "", client) << (lines.empty() ? "" : lines[0].second);
  }
}

TEST(Forwarded, QuotesWhereRfc7239AsksForIt) {
  Arena arena;
  EXPECT_EQ(forwarded_element("192.0.2.1", "shop.com", "https", arena), "for=192.0.2.1;host=shop.com;proto=https");
  EXPECT_EQ(forwarded_element("2001:db8::1", "shop.com:8443", "http", arena),
            "for=\"[2001:db8::1]\";host=\"shop.com:8443\";proto=http");
  EXPECT_EQ(forwarded_element("unknown", "", "http", arena), "for=unknown;proto=http");
}

}  // namespace
}  // namespace rproxy::http
