// What a store on the disk costs with many answers in it: filling it, opening it, finding in it before and after it has been looked through, and
// the memory of its index. Usage: bench_disk DIRECTORY COUNT [--keep]; the answers are those of http://shop.com/o/N of an upstream "shop".
#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <random>
#include <string>
#include <string_view>

#include "storage/disk_store.h"

namespace {

using namespace rproxy;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kContent = 1024;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

std::string key_of(std::uint64_t number) { return fmt::format("shop http://shop.com/o/{}", number); }

cache::Meta meta_of(std::uint64_t number) {
  const auto now =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch());
  cache::Meta meta;
  meta.key = key_of(number);
  meta.fields = {
      {"Content-Type", "text/plain"}, {"Cache-Control", "max-age=86400"}, {"ETag", fmt::format("\"{}\"", number)}};
  meta.requested_ms = meta.received_ms = now.count();
  meta.freshness = {cache::Freshness::Source::kMaxAge, 86'400};
  return meta;
}

std::unique_ptr<storage::DiskStore> open(const storage::DiskOptions& options) {
  auto store = storage::DiskStore::open(options);
  if (store) return std::move(*store);
  fmt::print(stderr, "{}\n", describe(store.error()));
  std::exit(1);
}

void fill(storage::DiskStore& store, std::uint64_t count) {
  const std::string content(kContent, 'x');
  std::atomic<std::uint64_t> under_way{0};
  for (std::uint64_t i = 0; i < count; ++i) {
    std::shared_ptr<storage::DiskWriting> writing;
    while ((writing = under_way < 128 ? store.begin(meta_of(i)) : nullptr) == nullptr) std::this_thread::yield();
    ++under_way;
    writing->append(content);
    writing->commit([&](bool) { --under_way; });
  }
  while (under_way > 0) std::this_thread::yield();
}

// Microseconds a look-up takes, one after the other.
double find_some(storage::DiskStore& store, std::uint64_t count, int times) {
  std::mt19937_64 random(times);
  const auto begin = Clock::now();
  for (int i = 0; i < times; ++i) {
    const std::string key = key_of(random() % count);
    std::promise<bool> found;
    store.find(
        cache::Digest::of(key), key, [](const cache::Meta&) { return true; }, kContent,
        [&](const auto& each) { found.set_value(each.has_value()); });
    if (!found.get_future().get()) fmt::print("{} is not there\n", key);
  }
  return seconds_since(begin) / times * 1e6;
}

std::uint64_t resident_kib() {
  std::ifstream in("/proc/self/statm");
  std::uint64_t pages = 0;
  in >> pages >> pages;
  return pages * 4;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  storage::DiskOptions options;
  options.path = argv[1];
  const std::uint64_t count = std::stoull(argv[2]);
  options.files_max = count;
  options.bytes_max.bytes = std::uint64_t{1} << 50;
  auto begin = Clock::now();
  {
    const auto store = open(options);
    fill(*store, count);
  }
  fmt::print("filled      {} answers of {} B in {:.1f} s\n", count, kContent, seconds_since(begin));
  const std::uint64_t before = resident_kib();
  begin = Clock::now();
  {
    const auto store = open(options);
    fmt::print("opened      {:.1f} ms\n", seconds_since(begin) * 1e3);
    fmt::print("first hit   {:.1f} us\n", find_some(*store, count, 1));
    fmt::print("hits        {:.1f} us each while it is looked through\n", find_some(*store, count, 2000));
    while (!store->counts().scan_done) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    fmt::print("looked through after {:.1f} s: {} answers\n", seconds_since(begin), store->counts().objects.load());
    fmt::print("hits        {:.1f} us each afterwards\n", find_some(*store, count, 2000));
    fmt::print("index       {:.1f} B an answer; resident {:.1f} B an answer more than before\n",
               static_cast<double>(store->index_cost()) / static_cast<double>(count),
               static_cast<double>(resident_kib() - before) * 1024 / static_cast<double>(count));
  }
  if (argc < 4 || std::string_view(argv[3]) != "--keep") std::filesystem::remove_all(options.path);
  return 0;
}
