// Which contents are worth compressing.
#include "http/media_types.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rproxy::http {
namespace {

TEST(MediaTypes, KnowWhatCanBeCompressed) {
  const auto types = MediaTypes::compressible();
  for (const char* type : {"text/html",
                           "TEXT/HTML; charset=utf-8",
                           "text/plain;charset=x",
                           "text/event-stream",
                           " text/css ",
                           "application/json",
                           "application/ld+json",
                           "application/manifest+json",
                           "application/problem+json;x=y",
                           "application/vnd.api+JSON",
                           "application/rss+xml",
                           "application/atom+xml",
                           "application/xhtml+xml",
                           "image/svg+xml",
                           "application/xml",
                           "application/javascript",
                           "text/javascript",
                           "application/wasm",
                           "application/x-ndjson",
                           "application/graphql",
                           "application/graphql-response+json",
                           "font/ttf",
                           "font/otf",
                           "application/vnd.ms-fontobject",
                           "application/geo+json-seq",
                           "image/x-icon"}) {
    EXPECT_TRUE(types.match(type)) << type;
  }
  for (const char* type : {"",
                           "text",
                           "/",
                           "html/text",
                           "image/png",
                           "image/jpeg",
                           "image/webp",
                           "image/avif",
                           "image/gif",
                           "video/mp4",
                           "audio/mpeg",
                           "font/woff",
                           "font/woff2",
                           "application/zip",
                           "application/gzip",
                           "application/octet-stream",
                           "application/pdf",
                           "application/zstd",
                           "multipart/form-data; boundary=text/html",
                           "application/+json",
                           "application/jsonx",
                           "application/xjson",
                           "application/grpc",
                           "application/grpc+proto"}) {
    EXPECT_FALSE(types.match(type)) << type;
  }
  for (const auto& pattern : types.patterns()) EXPECT_TRUE(is_media_pattern(pattern)) << pattern;
}

TEST(MediaTypes, MatchAnOperatorsPatterns) {
  const MediaTypes types({"Text/*", "application/*+Json", "*+xml", "image/bmp", "nonsense", "a/b*"});
  EXPECT_THAT(types.patterns(), testing::ElementsAre("text/*", "application/*+json", "*+xml", "image/bmp"));
  EXPECT_TRUE(types.match("text/x"));
  EXPECT_TRUE(types.match("Application/A+json"));
  EXPECT_FALSE(types.match("model/a+json"));
  EXPECT_TRUE(types.match("model/a+xml"));
  EXPECT_TRUE(types.match("image/BMP"));
  EXPECT_FALSE(types.match("image/bm"));
  EXPECT_FALSE(types.match("application/json"));
  EXPECT_FALSE(MediaTypes({}).match("text/html"));
  EXPECT_TRUE(MediaTypes({"*/*"}).match("x/y"));
}

TEST(MediaPattern, IsATypeOrOneOfThreeWildcards) {
  for (const char* pattern : {"text/html", "text/*", "*/*", "*+json", "*/*+json", "application/*+json", "a/b+c"}) {
    EXPECT_TRUE(is_media_pattern(pattern)) << pattern;
  }
  for (const char* pattern : {"", "*", "text", "text/", "/html", "te*t/html", "text/h*", "*/html", "*json", "*+", "*+*",
                              "text/html;q=1", "text/ html", "text/*/x", "a/*b", "**/*"}) {
    EXPECT_FALSE(is_media_pattern(pattern)) << pattern;
  }
}

}  // namespace
}  // namespace rproxy::http
