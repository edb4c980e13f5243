// What is put into files, and compared with what comes back.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "cache/entry.h"

namespace rproxy::cache {

// Nothing in it is what it would be by default.
inline Meta full_meta() {
  Meta meta;
  meta.key = "shop https://shop.com/a?b";
  meta.extras = " x-device:mobile";
  meta.variant = {{"accept", "text/html", "Text/HTML"}, {"x", "", ""}};
  meta.status = 206;
  meta.fields = {{"Content-Type", "text/plain"}, {"X-Zero", std::string("a\0b", 3)}, {"Empty", ""}};
  meta.part = http::ContentRange{{3, 7}, 100};
  meta.requested_ms = 1'700'000'000'001;
  meta.received_ms = 1'700'000'000'222;
  meta.initial_age = 17;
  meta.freshness = {Freshness::Source::kHeuristic, 3600};
  meta.stale_while_revalidate = 30;
  meta.stale_if_error = 40;
  meta.must_revalidate = true;
  meta.no_cache = true;
  meta.no_cache_fields = {"set-cookie"};
  meta.tags = {"t1", "t2"};
  meta.groups = {"g"};
  return meta;
}

inline void expect_same(const Meta& meta, const Meta& other) {
  EXPECT_EQ(meta.key, other.key);
  EXPECT_EQ(meta.extras, other.extras);
  EXPECT_EQ(meta.variant, other.variant);
  for (std::size_t i = 0; i < std::min(meta.variant.size(), other.variant.size()); ++i) {
    EXPECT_EQ(meta.variant[i].written, other.variant[i].written);
  }
  EXPECT_EQ(meta.status, other.status);
  EXPECT_EQ(meta.fields, other.fields);
  ASSERT_EQ(meta.part.has_value(), other.part.has_value());
  if (meta.part) {
    EXPECT_EQ(meta.part->range, other.part->range);
    EXPECT_EQ(meta.part->size, other.part->size);
  }
  EXPECT_EQ(meta.requested_ms, other.requested_ms);
  EXPECT_EQ(meta.received_ms, other.received_ms);
  EXPECT_EQ(meta.initial_age, other.initial_age);
  EXPECT_EQ(meta.freshness.source, other.freshness.source);
  EXPECT_EQ(meta.freshness.lifetime, other.freshness.lifetime);
  EXPECT_EQ(meta.stale_while_revalidate, other.stale_while_revalidate);
  EXPECT_EQ(meta.stale_if_error, other.stale_if_error);
  EXPECT_EQ(meta.must_revalidate, other.must_revalidate);
  EXPECT_EQ(meta.no_cache, other.no_cache);
  EXPECT_EQ(meta.no_cache_fields, other.no_cache_fields);
  EXPECT_EQ(meta.tags, other.tags);
  EXPECT_EQ(meta.groups, other.groups);
}

}  // namespace rproxy::cache
