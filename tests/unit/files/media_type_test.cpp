// Types by extension.
#include "files/media_type.h"

#include <gtest/gtest.h>

namespace rproxy::files {
namespace {

TEST(MediaType, GoesByWhatStandsBehindTheLastDot) {
  const std::pair<const char*, const char*> cases[] = {{"a.html", "text/html; charset=utf-8"},
                                                       {"a/b.PNG", "image/png"},
                                                       {"a.tar.gz", "application/gzip"},
                                                       {"7z.7z", "application/x-7z-compressed"},
                                                       {"a.zst", "application/zstd"},
                                                       {"a", "application/octet-stream"},
                                                       {"a.", "application/octet-stream"},
                                                       {"png", "application/octet-stream"},
                                                       {"x.png/a", "application/octet-stream"},
                                                       {"a.nothing", "application/octet-stream"},
                                                       {"a.pngpngpngpngpngpngpng", "application/octet-stream"},
                                                       {"", "application/octet-stream"}};
  for (const auto& [name, type] : cases) EXPECT_EQ(media_type_of(name, {}), type) << name;
}

TEST(MediaType, ThatTheOperatorGivesGoesFirst) {
  const std::vector<std::pair<std::string, std::string>> own{{".html", "text/x"}, {"Y", "text/y"}};
  EXPECT_EQ(media_type_of("a.HTML", own), "text/x");
  EXPECT_EQ(media_type_of("a.y", own), "text/y");
  EXPECT_EQ(media_type_of("a.css", own), "text/css; charset=utf-8");
}

}  // namespace
}  // namespace rproxy::files
