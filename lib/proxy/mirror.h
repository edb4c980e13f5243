// Sends copies of a route's requests to another upstream and drops the answers. The real request neither waits for its copy nor fails with
// it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "exchange/exchange.h"
#include "net/task_group.h"
#include "proxy/options.h"
#include "proxy/split.h"
#include "upstream/pool.h"

namespace rproxy::proxy {

class Mirror {
 public:
  // All outlive it. For one worker.
  Mirror(const MirrorOptions& options, upstream::Pool& pool, std::uint64_t seed);
  Mirror(const Mirror&) = delete;
  Mirror& operator=(const Mirror&) = delete;
  // Ends the copies that are under way.
  ~Mirror();

  // Copies the request, as it goes to its own upstream, if it is one of the share. A copy with content goes once that has been read; one
  // with too much goes not at all.
  void watch(exchange::Request& request);

 private:
  // What lives as long as a copy is under way.
  struct Copy;
  class Tee;

  void send(std::unique_ptr<Copy> copy);
  net::Task<void> run(std::unique_ptr<Copy> copy);
  void leave_out() { ++left_out_; }
  void tell(TimePoint now);

  const MirrorOptions& options_;
  upstream::Pool& pool_;
  Dice dice_;
  std::uint64_t answered_ = 0;  // since it was told last
  std::uint64_t failed_ = 0;
  std::uint64_t left_out_ = 0;
  std::uint32_t collecting_ = 0;  // copies whose content still comes
  TimePoint told_;
  net::TaskGroup tasks_;
};

}  // namespace rproxy::proxy
