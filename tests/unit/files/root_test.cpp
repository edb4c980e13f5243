// What can be opened below a root, with openat2() and without.
#include "files/root.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "files/look.h"

namespace rproxy::files {
namespace {

namespace fs = std::filesystem;

struct Tree {
  Tree() {
    std::string name = fs::temp_directory_path() / "rproxy-files-XXXXXX";
    home = ::mkdtemp(name.data());
    fs::create_directories(home / "www/dir/deep");
    put("secret");
    put("www/a");
    put("www/dir/b");
    put("www/dir/deep/c");
    fs::create_symlink("a", home / "www/within");
    fs::create_symlink("../a", home / "www/dir/up");
    fs::create_symlink("../secret", home / "www/out");
    fs::create_symlink(home / "secret", home / "www/absolute");
    fs::create_symlink("dir", home / "www/linked");
    fs::create_symlink("..", home / "www/above");
  }
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;
  ~Tree() { fs::remove_all(home); }

  void put(const char* name) const { std::ofstream(home / name) << name; }
  std::shared_ptr<Root> root(Symlinks symlinks, bool may_ask_system = true) const {
    return Root::open(home / "www", symlinks, may_ask_system).value();
  }

  fs::path home;
};

// 0, or why not.
int opened(const Root& root, const std::string& name) {
  const Fd file(root.open_below(name, Root::Wait::kMay, O_RDONLY));
  return file ? 0 : errno;
}

TEST(Root, IsADirectory) {
  const Tree tree;
  EXPECT_EQ(Root::open(tree.home / "nowhere", Symlinks::kBeneath).error().os_error, ENOENT);
  EXPECT_EQ(Root::open(tree.home / "secret", Symlinks::kBeneath).error().os_error, ENOTDIR);
}

TEST(Root, FollowsNoLinkOutOfIt) {
  const Tree tree;
  const auto root = tree.root(Symlinks::kBeneath);
  for (const char* name : {"a", "dir/b", "dir/deep/c", "within", "dir/up", "linked/b", "", "dir/", "linked/"})
    EXPECT_EQ(opened(*root, name), 0) << name;
  for (const char* name : {"out", "absolute", "above", "above/secret", "above/www/a"})
    EXPECT_EQ(opened(*root, name), EXDEV) << name;
  EXPECT_EQ(opened(*root, "a/"), ENOTDIR);
  EXPECT_EQ(opened(*root, "missing"), ENOENT);
}

TEST(Root, FollowsNoneOrAllWhereThatIsSaid) {
  const Tree tree;
  const auto none = tree.root(Symlinks::kRefuse);
  for (const char* name : {"within", "dir/up", "linked/b", "out", "absolute", "above/secret"})
    EXPECT_EQ(opened(*none, name), ELOOP) << name;
  EXPECT_EQ(opened(*none, "dir/deep/c"), 0);
  for (const bool has_openat2 : {true, false}) {
    const auto all = tree.root(Symlinks::kFollow, has_openat2);
    for (const char* name : {"within", "linked/b", "out", "absolute", "above/secret", "dir/"})
      EXPECT_EQ(opened(*all, name), 0) << name;
  }
}

TEST(Root, FollowsNoneWhereTheSystemCantTellWhereTheyLead) {
  const Tree tree;
  for (const Symlinks symlinks : {Symlinks::kBeneath, Symlinks::kRefuse}) {
    const auto root = tree.root(symlinks, false);
    for (const char* name : {"a", "dir/b", "dir/deep/c", "", "dir/", "dir/deep/"})
      EXPECT_EQ(opened(*root, name), 0) << name;
    for (const char* name : {"within", "out", "absolute", "linked/b", "linked/", "above/secret", "dir/up"})
      EXPECT_NE(opened(*root, name), 0) << name;
    EXPECT_EQ(opened(*root, "missing"), ENOENT);
    EXPECT_EQ(opened(*root, "a/"), ENOTDIR);
    EXPECT_EQ(opened(*root, "a/b"), ENOTDIR);
    EXPECT_EQ(root->open_below("a", Root::Wait::kNever, O_RDONLY), -1);
    EXPECT_EQ(errno, EAGAIN);
  }
}

TEST(Look, TellsWhatThereIs) {
  const Tree tree;
  const auto root = tree.root(Symlinks::kBeneath);
  const auto kind = [&](const std::string& name) { return look(*root, name, {}, Root::Wait::kMay).kind; };
  EXPECT_EQ(kind("a"), Look::Kind::kFile);
  EXPECT_EQ(kind("dir"), Look::Kind::kDirectory);
  EXPECT_EQ(kind("dir/"), Look::Kind::kDirectory);
  EXPECT_EQ(kind(""), Look::Kind::kDirectory);
  EXPECT_EQ(kind("nothing"), Look::Kind::kMissing);
  EXPECT_EQ(kind("a/"), Look::Kind::kMissing);
  EXPECT_EQ(kind(std::string(300, 'x')), Look::Kind::kMissing);
  EXPECT_EQ(kind("out"), Look::Kind::kForbidden);
  // What was looked at just now needs no waiting.
  EXPECT_EQ(look(*root, "a", {}, Root::Wait::kNever).kind, Look::Kind::kFile);
}

TEST(Look, TakesWhatIsCompressedAndNotOlder) {
  const Tree tree;
  for (const char* name : {"www/a.gz", "www/a.br"}) tree.put(name);
  fs::last_write_time(tree.home / "www/a.br", fs::last_write_time(tree.home / "www/a") - std::chrono::seconds(2));
  const auto root = tree.root(Symlinks::kBeneath);
  const auto found =
      look(*root, "a", {http::Coding::kZstd, http::Coding::kBrotli, http::Coding::kGzip}, Root::Wait::kMay);
  ASSERT_EQ(found.coded.size(), 1U);
  EXPECT_EQ(found.coded[0].coding, http::Coding::kGzip);
}

}  // namespace
}  // namespace rproxy::files
