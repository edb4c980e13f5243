#include "cache/directives.h"

#include <gtest/gtest.h>

#include "unit/cache/heads.h"

namespace rproxy::cache {
namespace {

using Time = std::optional<std::int64_t>;

void put(std::string& out, std::string_view name, bool is_set) {
  if (is_set) out += (out.empty() ? "" : " ") + std::string(name);
}
void put(std::string& out, std::string_view name, const Time& time) {
  if (time) put(out, std::string(name) + "=" + std::to_string(*time), true);
}

std::string request(const Lines& lines) {
  const auto asked = RequestDirectives::of(fields_of(lines));
  std::string out;
  put(out, "no-store", asked.no_store);
  put(out, "no-cache", asked.no_cache);
  put(out, "only-if-cached", asked.only_if_cached);
  put(out, "max-age", asked.max_age);
  put(out, "min-fresh", asked.min_fresh);
  put(out, "max-stale", asked.max_stale);
  put(out, "stale-if-error", asked.stale_if_error);
  return out;
}

std::string response(const Lines& lines) {
  const auto said = ResponseDirectives::of(fields_of(lines));
  std::string out;
  put(out, "targeted:", said.is_targeted);
  put(out, "no-store", said.no_store);
  put(out, "no-cache", said.no_cache);
  for (const auto& name : said.no_cache_fields) put(out, "no-cache:" + name, true);
  put(out, "private", said.is_private);
  put(out, "public", said.is_public);
  put(out, "must-revalidate", said.must_revalidate);
  put(out, "proxy-revalidate", said.proxy_revalidate);
  put(out, "must-understand", said.must_understand);
  put(out, "max-age", said.max_age);
  put(out, "s-maxage", said.s_maxage);
  put(out, "swr", said.stale_while_revalidate);
  put(out, "sie", said.stale_if_error);
  return out;
}

struct Case {
  Lines lines;
  std::string_view want;
};

TEST(RequestDirectives, AreReadAsRfc9111Section521HasThem) {
  const Case cases[] = {
      {{}, ""},
      {{{"Cache-Control", "max-age=60"}}, "max-age=60"},                   // 5.2.1.1
      {{{"Cache-Control", "max-stale=60"}}, "max-stale=60"},               // 5.2.1.2
      {{{"Cache-Control", "max-stale"}}, "max-stale=2147483648"},          // 5.2.1.2: of any age
      {{{"Cache-Control", "min-fresh=60"}}, "min-fresh=60"},               // 5.2.1.3
      {{{"Cache-Control", "no-cache"}}, "no-cache"},                       // 5.2.1.4
      {{{"Cache-Control", "no-store"}}, "no-store"},                       // 5.2.1.5
      {{{"Cache-Control", "no-transform"}}, ""},                           // 5.2.1.6
      {{{"Cache-Control", "only-if-cached"}}, "only-if-cached"},           // 5.2.1.7
      {{{"Cache-Control", "stale-if-error=60"}}, "stale-if-error=60"},     // RFC 5861 4
      {{{"Cache-Control", "MAX-AGE=1, No-Cache"}}, "no-cache max-age=1"},  // 5.2: in any case
      {{{"Cache-Control", "max-age=\"60\""}}, "max-age=60"},               // 5.2: quoted as well
      {{{"Cache-Control", "no-store"}, {"cache-control", "max-age=1"}}, "no-store max-age=1"},
      {{{"Cache-Control", "max-age=9, max-age=5, max-age=7"}}, "max-age=5"},
      {{{"Cache-Control", "max-age=99999999999999999999"}}, "max-age=2147483648"},  // 1.2.2
      // What can't be read asks for no more than what can.
      {{{"Cache-Control", "max-age"}}, "max-age=0"},
      {{{"Cache-Control", "max-age=x"}}, "max-age=0"},
      {{{"Cache-Control", "max-age=-1"}}, "max-age=0"},
      {{{"Cache-Control", "max-stale=x"}}, "max-stale=0"},
      {{{"Cache-Control", "min-fresh=x"}}, ""},
      {{{"Cache-Control", "min-fresh"}}, ""},
      {{{"Cache-Control", "foo=\"no-store, max-age=1\", bar"}}, ""},
      {{{"Cache-Control", ",, ,max-age=1,"}}, "max-age=1"},
      // 5.4: Pragma counts alone.
      {{{"Pragma", "no-cache"}}, "no-cache"},
      {{{"Pragma", "x=1, No-Cache"}}, "no-cache"},
      {{{"Pragma", "no-cache-please"}}, ""},
      {{{"Pragma", "no-cache"}, {"Cache-Control", "max-age=60"}}, "max-age=60"},
  };
  for (const auto& [lines, want] : cases) EXPECT_EQ(request(lines), want) << (lines.empty() ? "" : lines[0].second);
}

TEST(ResponseDirectives, AreReadAsRfc9111Section522HasThem) {
  const Case cases[] = {
      {{}, ""},
      {{{"Cache-Control", "max-age=60"}}, "max-age=60"},                               // 5.2.2.1
      {{{"Cache-Control", "must-revalidate"}}, "must-revalidate"},                     // 5.2.2.2
      {{{"Cache-Control", "must-understand, no-store"}}, "no-store must-understand"},  // 5.2.2.3
      {{{"Cache-Control", "no-cache"}}, "no-cache"},                                   // 5.2.2.4
      {{{"Cache-Control", "no-cache=\"Set-Cookie, X-A\""}}, "no-cache:Set-Cookie no-cache:X-A"},
      {{{"Cache-Control", "no-cache=Set-Cookie"}}, "no-cache:Set-Cookie"},  // 5.2.2.4: a token as well
      {{{"Cache-Control", "no-cache=\"\""}}, "no-cache"},
      {{{"Cache-Control", "no-cache=\"a b\""}}, "no-cache"},
      {{{"Cache-Control", "no-cache=\"X-A\", no-cache"}}, "no-cache no-cache:X-A"},
      {{{"Cache-Control", "no-store"}}, "no-store"},                  // 5.2.2.5
      {{{"Cache-Control", "no-transform"}}, ""},                      // 5.2.2.6
      {{{"Cache-Control", "private"}}, "private"},                    // 5.2.2.7
      {{{"Cache-Control", "private=\"X-A\""}}, "private"},            // 5.2.2.7: may be taken as without
      {{{"Cache-Control", "proxy-revalidate"}}, "proxy-revalidate"},  // 5.2.2.8
      {{{"Cache-Control", "public"}}, "public"},                      // 5.2.2.9
      {{{"Cache-Control", "s-maxage=60"}}, "s-maxage=60"},            // 5.2.2.10
      {{{"Cache-Control", "stale-while-revalidate=5, stale-if-error=6"}}, "swr=5 sie=6"},  // RFC 5861
      {{{"Cache-Control", "unknown=\"no-store\", Max-Age=\"5\""}}, "max-age=5"},           // 5.2.3
      // 4.2.1: of two the shorter, of none that can be read nothing.
      {{{"Cache-Control", "max-age=9, max-age=5"}, {"Cache-Control", "max-age=7"}}, "max-age=5"},
      {{{"Cache-Control", "max-age=9, max-age=x"}}, "max-age=0"},
      {{{"Cache-Control", "max-age=1.5"}}, "max-age=0"},
      {{{"Cache-Control", "max-age= 5"}}, "max-age=0"},
      {{{"Cache-Control", "max-age='5'"}}, "max-age=0"},
      {{{"Cache-Control", "s-maxage"}}, "s-maxage=0"},
      {{{"Cache-Control", "max-age=99999999999999999999"}}, "max-age=2147483648"},  // 1.2.2
      {{{"Cache-Control", "stale-while-revalidate=x"}}, "swr=0"},
      {{{"Pragma", "no-cache"}}, ""},
  };
  for (const auto& [lines, want] : cases) EXPECT_EQ(response(lines), want) << (lines.empty() ? "" : lines[0].second);
}

TEST(ResponseDirectives, CdnCacheControlGoesOverCacheControl) {
  const Case cases[] = {
      // RFC 9213 2.2: then nothing of Cache-Control counts.
      {{{"Cache-Control", "no-store"}, {"CDN-Cache-Control", "max-age=60"}}, "targeted: max-age=60"},
      {{{"CDN-Cache-Control", "no-store"}, {"Cache-Control", "max-age=60"}}, "targeted: no-store"},
      {{{"CDN-Cache-Control", "max-age=1"}, {"CDN-Cache-Control", "no-cache"}}, "targeted: no-cache max-age=1"},
      {{{"CDN-Cache-Control", "no-cache=\"X-A, X-B\""}}, "targeted: no-cache:X-A no-cache:X-B"},
      {{{"CDN-Cache-Control", "private=\"X-A\", foo=(a b)"}}, "targeted: private"},
      {{{"CDN-Cache-Control", "max-age=60;a=b, public"}}, "targeted: public max-age=60"},
      {{{"CDN-Cache-Control", "foo"}, {"Cache-Control", "no-store"}}, "targeted:"},
      // RFC 9213 2.1: a Dictionary, of which the last of a name counts.
      {{{"CDN-Cache-Control", "max-age=5, max-age=9"}}, "targeted: max-age=9"},
      {{{"CDN-Cache-Control", "no-store=?0, max-age=-5"}}, "targeted: max-age=0"},
      {{{"CDN-Cache-Control", "max-age=1.5, s-maxage=\"60\", stale-if-error=a"}}, "targeted:"},
      // Malformed or empty it does not count.
      {{{"CDN-Cache-Control", ""}, {"Cache-Control", "max-age=60"}}, "max-age=60"},
      {{{"CDN-Cache-Control", "max-age=60,"}, {"Cache-Control", "no-store"}}, "no-store"},
      {{{"CDN-Cache-Control", "Max-Age=60"}, {"Cache-Control", "no-store"}}, "no-store"},
      {{{"CDN-Cache-Control", "max-age= 60"}}, ""},
  };
  for (const auto& [lines, want] : cases) EXPECT_EQ(response(lines), want) << lines[0].second;
}

TEST(ParseSeconds, ReadsWholeNumbersAlone) {
  const struct {
    std::string_view text;
    Time want;
  } cases[] = {
      {"0", 0},
      {"60", 60},
      {"007", 7},
      {"\"60\"", 60},
      {"2147483647", 2'147'483'647},
      {"2147483648", kSecondsMax},
      {"2147483649", kSecondsMax},
      {std::string_view("9999999999999999999999"), kSecondsMax},
      {"", {}},
      {"\"\"", {}},
      {"\"", {}},
      {"-1", {}},
      {"+1", {}},
      {"1s", {}},
      {"1 ", {}},
      {"\"1", {}},
      {"0x10", {}},
      {"\xd9\xa1", {}},
  };
  for (const auto& [text, want] : cases) EXPECT_EQ(parse_seconds(text), want) << text;
}

}  // namespace
}  // namespace rproxy::cache
