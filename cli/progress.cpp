#include "cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace rproxy::cli {
namespace {

constexpr Duration kPatience{1'000};
constexpr Duration kBetween{100};
constexpr std::size_t kBar = 32;

}  // namespace

Progress::Progress(std::string what, bool is_wanted)
    : what_(std::move(what)),
      is_on_(is_wanted && ::isatty(STDERR_FILENO) == 1),
      begun_(Clock::now()),
      shown_(begun_ + kPatience - kBetween) {}

Progress::~Progress() { hide(); }

void Progress::show(std::size_t done, std::size_t all) {
  if (!is_on_ || all == 0) return;
  const TimePoint now = Clock::now();
  if (now < shown_ + kBetween) return;
  shown_ = now;
  is_visible_ = true;
  const std::size_t filled = std::min(done, all) * kBar / all;
  fmt::print(stderr, "\r\033[K{} [{}{}] {}%", what_, std::string(filled, '#'), std::string(kBar - filled, '.'),
             std::min(done, all) * 100 / all);
  (void)std::fflush(stderr);
}

void Progress::hide() {
  if (!std::exchange(is_visible_, false)) return;
  fmt::print(stderr, "\r\033[K");
  (void)std::fflush(stderr);
}

}  // namespace rproxy::cli
