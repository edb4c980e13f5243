// A disk that fails, is full, is slow, or is asked by many at once.
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "unit/storage/disk_support.h"

namespace rproxy::storage {

using namespace cache;
namespace {

std::string url(int number) { return fmt::format("s https://a/{}", number); }

// Where there is memory to be had as a directory, syncing costs nothing.
class InMemory {
 public:
  InMemory() {
    if (const char* const set = std::getenv("TMPDIR")) before_ = set;
    if (fs::is_directory("/dev/shm")) ::setenv("TMPDIR", "/dev/shm", 1);
  }
  InMemory(const InMemory&) = delete;
  InMemory& operator=(const InMemory&) = delete;
  ~InMemory() { before_ ? ::setenv("TMPDIR", before_->c_str(), 1) : ::unsetenv("TMPDIR"); }

 private:
  std::optional<std::string> before_;
};

// All that a store does, once. Nothing that it answers is wrong, whatever fails.
void use_all(DiskHouse& house) {
  house.put(stored_meta(url(1), 1000, {"t"}), "one");
  house.put(stored_meta(url(2), 1000), "two");
  house.put(stored_meta(url(3), 1000), "three");
  const std::string one = house.content(url(1));
  EXPECT_TRUE(one == "one" || one == "-" || one == "!") << one;
  house.update(stored_meta(url(2), 1000), stored_meta(url(2), 5000));
  const auto two = house.find(url(2));
  if (two) {
    EXPECT_EQ(house.read(two->content, 0, 3).value_or("two"), "two");
    EXPECT_TRUE(two->meta.received_ms == 1000 || two->meta.received_ms == 5000);
  }
  house.purge({Purge::Kind::kTag, "t", false}, 2000);
  EXPECT_FALSE(house.has(url(1)));
  house.store().purge_key(url(3), false, 2000);
  EXPECT_FALSE(house.has(url(3)));
  house.finish_scan();
  house.verify();
  EXPECT_FALSE(house.has(url(1)));
  EXPECT_FALSE(house.has(url(3)));
}

void expect_sound(const std::string& path) {
  DiskOptions options;
  options.path = path;
  DiskHouse house(options);
  const std::string two = house.content(url(2));
  EXPECT_TRUE(two == "two" || two == "-") << two;
  house.finish_scan();
  EXPECT_EQ(house.store().counts().damaged, 0U);
  EXPECT_EQ(house.store().counts().objects, files_of(path).size());
  EXPECT_EQ(house.verify().damaged, 0U);
  EXPECT_TRUE(house.put(stored_meta(url(9)), "nine"));
  house.close();
  EXPECT_EQ(drafts_of(path), 0U);
}

TEST(DiskFaults, AnyCallMayFail) {
  for (const int number : {EIO, ENOSPC, EACCES}) {
    const InMemory quick;
    for (int failing = 0;; ++failing) {
      std::atomic<int> calls{0};
      std::atomic<bool> is_on{false};
      test::TemporaryDirectory directory;
      DiskOptions options;
      options.path = directory.path("cache");
      {
        DiskHouse house(options, {[&](DiskCall) { return is_on && calls++ == failing ? number : 0; }, {}});
        is_on = true;
        use_all(house);
      }
      expect_sound(options.path);
      if (HasFailure()) FAIL() << "call " << failing << " with " << number;
      if (calls <= failing) break;
    }
  }
}

TEST(DiskFaults, OpeningMayFailAtAnyCall) {
  for (int failing = 0;; ++failing) {
    std::atomic<int> calls{0};
    test::TemporaryDirectory directory;
    DiskOptions options;
    options.path = directory.path("cache");
    const auto store = DiskStore::open(options, {[&](DiskCall) { return calls++ == failing ? EACCES : 0; }, {}});
    if (store) break;
    EXPECT_EQ(store.error().os_error, EACCES);
    EXPECT_NE(store.error().context.find(options.path), std::string::npos) << failing;
  }
}

struct FullDisk : testing::Test {
  DiskHooks hooks() {
    return {[this](DiskCall call) {
              const bool writes = call == DiskCall::kWrite || call == DiskCall::kCopy;
              return is_full && writes ? ENOSPC : 0;
            },
            [this] { return TimePoint(Clock::duration(since.load())); }};
  }
  void pass(Duration time) { since += std::chrono::duration_cast<Clock::duration>(time).count(); }

  std::atomic<bool> is_full{false};
  std::atomic<Clock::rep> since{1};
  DiskHouse house{{}, hooks()};
};

TEST_F(FullDisk, LookUpsGoOn) {
  EXPECT_TRUE(house.put(stored_meta(url(1)), "one"));
  is_full = true;
  EXPECT_FALSE(house.put(stored_meta(url(2)), "two"));
  EXPECT_FALSE(house.put(stored_meta(url(1), 2000), "new"));
  EXPECT_EQ(house.store().counts().write_failures, 2U);
  EXPECT_EQ(house.content(url(1)), "one");
  EXPECT_FALSE(house.has(url(2)));
  house.finish_scan();
  house.verify();
  house.close();
  EXPECT_EQ(drafts_of(house.path()), 0U);
}

TEST_F(FullDisk, AfterSeveralFailuresWritesPause) {
  is_full = true;
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(house.put(stored_meta(url(i)), "x"));
  EXPECT_EQ(house.store().begin(stored_meta(url(4))), nullptr);
  EXPECT_EQ(house.store().counts().dropped, 1U);
  pass(DiskHealth::kPause);
  // One is tried, and fails.
  EXPECT_FALSE(house.put(stored_meta(url(4)), "x"));
  EXPECT_EQ(house.store().counts().write_failures, 4U);
  EXPECT_EQ(house.store().begin(stored_meta(url(4))), nullptr);
  pass(DiskHealth::kPause);
  is_full = false;
  EXPECT_TRUE(house.put(stored_meta(url(4)), "x"));
  EXPECT_TRUE(house.put(stored_meta(url(5)), "x"));
}

TEST_F(FullDisk, OneLineAMinuteIsLogged) {
  const auto lines = [&](int failures) {
    testing::internal::CaptureStderr();
    for (int i = 0; i < failures; ++i) {
      EXPECT_FALSE(house.put(stored_meta(url(i)), "x"));
      pass(DiskHealth::kPause);
    }
    const std::string text = testing::internal::GetCapturedStderr();
    return std::count(text.begin(), text.end(), '\n');
  };
  is_full = true;
  EXPECT_EQ(lines(6), 1);
  EXPECT_EQ(lines(6), 1);
  EXPECT_EQ(lines(1), 1);
}

TEST_F(FullDisk, PurgesAreInForceAllTheSame) {
  house.put(stored_meta(url(1), 1000, {"t"}), "one");
  is_full = true;
  EXPECT_FALSE(house.purge({Purge::Kind::kTag, "t", false}, 2000));
  EXPECT_FALSE(house.has(url(1)));
}

// The system's own refusal, which comes with a signal that must not end the process.
TEST(DiskFaults, ALimitOfTheProcessIsAFailureLikeOthers) {
  test::TemporaryDirectory directory;
  DiskOptions options;
  options.path = directory.path("cache");
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    int wrong = 0;
    {
      // What the test prints may go to a file that is larger already.
      const Fd nowhere(::open("/dev/null", O_WRONLY));
      ::dup2(nowhere.get(), STDERR_FILENO);
      DiskHouse house(options);
      const rlimit limit{8192, 8192};
      ::setrlimit(RLIMIT_FSIZE, &limit);
      if (!house.put(stored_meta(url(1)), "one")) wrong |= 1;
      if (house.put(stored_meta(url(2)), std::string(20'000, 'x'))) wrong |= 2;
      if (house.content(url(1)) != "one") wrong |= 4;
      if (house.has(url(2))) wrong |= 8;
      if (house.store().counts().write_failures != 1) wrong |= 16;
    }
    ::_exit(wrong);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(drafts_of(options.path), 0U);
  EXPECT_EQ(files_of(options.path).size(), 1U);
}

// Killed at each call in turn, what is left is whole or found out.
TEST(DiskFaults, KilledAtAnyCallItIsSoundAgain) {
  const InMemory quick;
  for (int last = 0;; ++last) {
    test::TemporaryDirectory directory;
    DiskOptions options;
    options.path = directory.path("cache");
    std::fflush(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
      std::atomic<int> calls{0};
      {
        DiskHouse house(options, {[&](DiskCall) {
                                    if (calls++ == last) ::raise(SIGKILL);
                                    return 0;
                                  },
                                  {}});
        use_all(house);
      }
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    expect_sound(options.path);
    if (HasFailure()) FAIL() << "call " << last;
    if (WIFEXITED(status)) break;
  }
}

// A store whose threads wait until they are let go.
struct SlowDisk : testing::Test {
  DiskHooks hooks() {
    return {[this](DiskCall) {
              if (is_stuck) gate.wait();
              return 0;
            },
            {}};
  }
  static DiskOptions options() {
    DiskOptions options;
    options.waiting_max = 4;
    options.queued_max = 64_KiB;
    return options;
  }
  ~SlowDisk() override { go_on(); }
  void go_on() {
    if (std::exchange(is_let_go, true)) return;
    let.set_value();
  }

  std::promise<void> let;
  std::shared_future<void> gate = let.get_future().share();
  std::atomic<bool> is_stuck{false};
  bool is_let_go = false;
  DiskHouse house{options(), hooks()};
};

TEST_F(SlowDisk, LookUpsThatFindTheQueueFullAreMisses) {
  house.put(stored_meta(url(1)), "one");
  is_stuck = true;
  std::atomic<int> answered{0};
  std::atomic<int> found{0};
  for (int i = 0; i < 20; ++i) {
    house.store().find(
        Digest::of(url(1)), url(1), [](const Meta&) { return true; }, 0,
        [&](std::optional<DiskFound> each) {
          found += each ? 1 : 0;
          ++answered;
        });
  }
  const int at_once = answered;
  EXPECT_GE(at_once, 14);  // four wait, and each thread holds one
  EXPECT_EQ(found, 0);
  EXPECT_EQ(house.store().counts().dropped, static_cast<std::uint64_t>(at_once));
  go_on();
  house.close();
  EXPECT_EQ(answered, 20);
  EXPECT_EQ(found, 20 - at_once);
}

TEST_F(SlowDisk, OneAnswerMayHaveAPartOfTheQueue) {
  is_stuck = true;
  const auto writing = house.store().begin(stored_meta(url(1)));
  int taken = 0;
  while (writing->append(std::string(1024, 'x'))) ++taken;
  EXPECT_EQ(taken, 16);
  const auto other = house.store().begin(stored_meta(url(2)));
  EXPECT_TRUE(other->append("x"));
  go_on();
  EXPECT_FALSE(DiskHouse::commit(*writing));
  EXPECT_TRUE(DiskHouse::commit(*other));
  EXPECT_FALSE(house.has(url(1)));
}

// What any of them finds is one of those that were stored under that key, whole.
TEST(DiskCrowd, ManyAtOnceFindWhatWasStored) {
  constexpr int kKeys = 20;
  DiskOptions options;
  options.files_max = 15;
  DiskHouse house(options);
  std::atomic<std::int64_t> clock{1000};
  std::atomic<int> hits{0};
  const auto run = [&](unsigned seed) {
    for (int i = 0; i < 400; ++i) {
      seed = seed * 1664525 + 1013904223;
      const int number = static_cast<int>(seed >> 16) % kKeys;
      const std::int64_t now = ++clock;
      switch (seed >> 28) {
        case 0:
          house.store().purge_key(url(number), (seed & 1024) != 0, now);
          break;
        case 1:
          if ((seed & 0xf000) == 0) house.store().purge({Purge::Kind::kTag, "t", (seed & 1024) != 0}, now);
          break;
        case 2:
          house.store().begin(stored_meta(url(number), now))->append("never");
          break;
        case 3:
          if (const auto found = house.find(url(number))) {
            Meta meta = found->meta;
            meta.requested_ms = meta.received_ms = now;
            house.store().update(found->meta, meta);
          }
          break;
        case 4:
        case 5:
        case 6:
        case 7:
          house.put(stored_meta(url(number), now, {"t"}), url(number) + std::string(5000, 'x'));
          break;
        default:
          if (const auto found = house.find(url(number))) {
            ++hits;
            const auto bytes = house.read(found->content, 0, 10'000);
            EXPECT_EQ(bytes.value_or("!"), url(number) + std::string(5000, 'x'));
          }
      }
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 4; ++i) threads.emplace_back(run, i + 1);
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(hits, 0);
  house.finish_scan();
  EXPECT_EQ(house.verify().damaged, 0U);
  house.close();
  EXPECT_LE(files_of(house.path()).size(), 15U);
  EXPECT_EQ(drafts_of(house.path()), 0U);
  house.reopen();
  house.finish_scan();
  EXPECT_EQ(house.store().counts().damaged, 0U);
}

TEST(DiskCrowd, AStoreMayGoAtAnyMoment) {
  const InMemory quick;
  for (int rounds = 0; rounds < 50; ++rounds) {
    DiskHouse house;
    std::atomic<int> answers{0};
    for (int i = 0; i < 10; ++i) {
      const auto writing = house.store().begin(stored_meta(url(i)));
      writing->append(std::string(1000, 'x'));
      writing->commit([&](bool) { ++answers; });
      house.store().find(
          Digest::of(url(i)), url(i), [](const Meta&) { return true; }, 0, [&](const auto&) { ++answers; });
    }
    house.close();
    EXPECT_EQ(answers, 20);
  }
}

}  // namespace
}  // namespace rproxy::storage
