// Which files a configuration came from, and whether they are still the same.
#include "config/sources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "config/load.h"
#include "support/temporary_directory.h"

namespace rproxy::config {
namespace {

using test::TemporaryDirectory;
using testing::Contains;
using testing::UnorderedElementsAre;

std::vector<std::string> paths_of(const Sources& sources) {
  std::vector<std::string> out;
  for (const auto& file : sources.files) out.push_back(file.path);
  return out;
}

class SourcesTest : public testing::Test {
 protected:
  TemporaryDirectory files;
  std::string main = files.write("main.toml", "include = [\"conf*.toml\"]\n[listen]\nhttp = \"${file:secret}\"\n");
  std::string part = files.write("conf1.toml", "[[routes]]\nmatch = \"*\"\nrespond = 204\n");
  std::string secret = files.write("secret", ":80");
  Sources sources = load(main).sources;
};

TEST_F(SourcesTest, AreAllFilesThatWereRead) {
  EXPECT_THAT(paths_of(sources), UnorderedElementsAre(main, part, secret));
  ASSERT_EQ(sources.patterns.size(), 1U);
  EXPECT_EQ(sources.patterns[0].found, std::vector<std::string>{part});
  EXPECT_FALSE(has_changed(sources));
}

TEST_F(SourcesTest, ChangeWithEachOfTheFiles) {
  for (const char* name : {"main.toml", "conf1.toml", "secret"}) {
    const Sources before = load(main).sources;
    EXPECT_FALSE(has_changed(before));
    files.write(name, "# something else\n");
    EXPECT_TRUE(has_changed(before)) << name;
  }
}

TEST_F(SourcesTest, ChangeWhenAFileIsReplacedByOneThatIsAlike) {
  files.write("new", ":80");
  std::filesystem::rename(files.path("new"), secret);
  EXPECT_TRUE(has_changed(sources));
}

TEST_F(SourcesTest, ChangeWhenAFileComesOrGoes) {
  files.write("conf2.toml", "");
  EXPECT_TRUE(has_changed(sources));
  std::filesystem::remove(files.path("conf2.toml"));
  EXPECT_FALSE(has_changed(sources));
  std::filesystem::remove(part);
  EXPECT_TRUE(has_changed(sources));
}

TEST_F(SourcesTest, AreThereWhereNothingCouldBeUsed) {
  std::filesystem::remove(secret);
  files.write("conf1.toml", "[[[");
  const Sources broken = load(main).sources;
  EXPECT_THAT(paths_of(broken), UnorderedElementsAre(main, part, secret));
  EXPECT_FALSE(has_changed(broken));
  files.write("secret", ":80");
  EXPECT_TRUE(has_changed(broken));
}

TEST_F(SourcesTest, AreWatchedWhereTheyAreAndWhereLinksLead) {
  TemporaryDirectory elsewhere;
  const std::string real = elsewhere.write("real.toml", "include = [\"no/such/*.toml\"]\n");
  std::filesystem::create_symlink(real, files.path("link.toml"));
  const auto directories = directories_of(load(files.path("link.toml")).sources);
  EXPECT_THAT(directories, Contains(std::filesystem::path(main).parent_path().string()));
  EXPECT_THAT(directories, Contains(std::filesystem::canonical(real).parent_path().string()));
}

}  // namespace
}  // namespace rproxy::config
