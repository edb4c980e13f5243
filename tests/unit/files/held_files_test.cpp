// Files that are held open.
#include "files/held_files.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace rproxy::files {
namespace {

namespace fs = std::filesystem;

struct Fixture {
  Fixture() {
    std::string name = fs::temp_directory_path() / "rproxy-files-XXXXXX";
    home = ::mkdtemp(name.data());
    std::ofstream(home / "a") << "a";
  }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;
  ~Fixture() { fs::remove_all(home); }

  ResourcePtr open() {
    Look found;
    Fd file(::open((home / "a").c_str(), O_RDONLY | O_CLOEXEC));
    const auto state = inspect(file.get(), true).state;
    found.file = std::make_shared<const OpenFile>(std::move(file), state);
    return make_resource(std::move(found), "a", options, 2'000'000'000);
  }

  fs::path home;
  Options options;
  TimePoint now{std::chrono::hours(1)};
};

TEST(HeldFiles, AreLookedForAnewAfterASecond) {
  Fixture f;
  Shared shared(10);
  HeldFiles held(shared);
  held.keep("a", f.open(), f.now);
  EXPECT_NE(held.find("a", f.now + std::chrono::milliseconds(999)), nullptr);
  EXPECT_EQ(held.find("b", f.now), nullptr);
  EXPECT_EQ(held.find("a", f.now + std::chrono::seconds(1)), nullptr);
  EXPECT_EQ(held.size(), 0U);
}

TEST(HeldFiles, ThatWereWrittenToAreNotGiven) {
  Fixture f;
  Shared shared(10);
  HeldFiles held(shared);
  held.keep("a", f.open(), f.now);
  std::ofstream(f.home / "a", std::ios::app) << "b";
  EXPECT_EQ(held.find("a", f.now), nullptr);
}

TEST(HeldFiles, MakeRoomForThoseAskedForLast) {
  Fixture f;
  Shared shared(3);
  HeldFiles held(shared);
  for (const char* name : {"a", "b", "c"}) held.keep(name, f.open(), f.now);
  EXPECT_NE(held.find("a", f.now), nullptr);
  held.keep("d", f.open(), f.now);
  EXPECT_NE(held.find("a", f.now), nullptr);
  EXPECT_EQ(held.find("b", f.now), nullptr);
  // Others hold all there may be.
  HeldFiles others(shared);
  others.keep("a", f.open(), f.now);
  EXPECT_EQ(others.size(), 0U);
  held.clear();
  others.keep("a", f.open(), f.now);
  EXPECT_EQ(others.size(), 1U);
}

TEST(HeldFiles, GoWhenNobodyAsksForThem) {
  Fixture f;
  Shared shared(10);
  HeldFiles held(shared);
  held.keep("a", f.open(), f.now);
  held.keep("b", f.open(), f.now + std::chrono::seconds(5));
  held.sweep(f.now + std::chrono::seconds(9));
  EXPECT_EQ(held.size(), 2U);
  held.sweep(f.now + std::chrono::seconds(10));
  EXPECT_EQ(held.size(), 1U);
}

TEST(EntityTag, TellsStatesAndFormsApart) {
  const FileState state{500, 0x18d0c7e1a2b3c4d5, 1};
  EXPECT_EQ(entity_tag(state, std::nullopt), "\"18d0c7e1a2b3c4d5-1f4\"");
  EXPECT_EQ(entity_tag(state, http::Coding::kGzip), "\"18d0c7e1a2b3c4d5-1f4-gzip\"");
  EXPECT_TRUE(http::is_entity_tag(entity_tag({1, -5, 1}, std::nullopt)));
}

}  // namespace
}  // namespace rproxy::files
