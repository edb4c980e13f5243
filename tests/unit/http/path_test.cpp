#include "http/path.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace rproxy::http {
namespace {

std::string normal(const std::string& path, const PathPolicy& policy = {}) {
  Arena arena;
  auto result = normalize_path(path, policy, arena);
  return result ? std::string(*result) : "refused";
}

TEST(NormalizePath, BringsSpellingsTogether) {
  const struct {
    const char* path;
    const char* want;
  } cases[] = {
      {"/", "/"},
      {"/a/b", "/a/b"},
      {"/a/./b", "/a/b"},
      {"/a/../b", "/b"},
      {"/a/b/..", "/a/"},
      {"/a/.", "/a/"},
      {"/..", "refused"},
      {"/a/../../b", "refused"},
      {"/%2e%2E/a", "refused"},
      {"/a/%2e%2e/b", "/b"},
      {"/a/.%2e/b", "/b"},
      {"/%41%7e", "/A~"},
      {"/%2f", "/%2F"},
      {"/%2", "refused"},
      {"/%zz", "refused"},
      {"/%00", "refused"},
      {"/%0a", "refused"},
      {"//a///b", "/a/b"},
      {"/a//../b", "/b"},
      {"/a%5cb", "/a%5Cb"},
      {"/a\\b", "refused"},
      {"/a/..;/b", "refused"},
      {"/a/..;x=1/b", "refused"},
      {"/...", "/..."},
      {"/.a", "/.a"},
      {"/a b", "refused"},
      {"/{x}", "/%7Bx%7D"},
      {"/%c3%a4", "/%C3%A4"},
  };
  for (const auto& each : cases) EXPECT_EQ(normal(each.path), each.want) << each.path;
}

TEST(NormalizePath, FollowsThePolicy) {
  PathPolicy policy;
  policy.duplicate_slashes = PathPolicy::Slashes::kKeep;
  EXPECT_EQ(normal("//a//b", policy), "//a//b");
  policy.duplicate_slashes = PathPolicy::Slashes::kReject;
  EXPECT_EQ(normal("/a//b", policy), "refused");
  policy = {};
  policy.encoded_slash = PathPolicy::EncodedSlash::kReject;
  EXPECT_EQ(normal("/a%2fb", policy), "refused");
  policy.encoded_slash = PathPolicy::EncodedSlash::kDecode;
  EXPECT_EQ(normal("/a%2f..%2fb", policy), "/b");
}

TEST(NormalizePath, ChangesNothingTheSecondTime) {
  std::minstd_rand random(7);
  const std::string pieces[] = {"/", ".", "..", "a", "%2e", "%2f", "%41", "%", "//", ";", "%5c", "%25", "~"};
  for (int round = 0; round < 20000; ++round) {
    std::string path = "/";
    for (unsigned n = random() % 8; n > 0; --n) path += pieces[random() % std::size(pieces)];
    const std::string once = normal(path);
    if (once == "refused") continue;
    ASSERT_EQ(normal(once), once) << path;
    ASSERT_EQ(once.find("/../"), std::string::npos) << path;
    ASSERT_EQ(once.find("//"), std::string::npos) << path;
  }
}

}  // namespace
}  // namespace rproxy::http
