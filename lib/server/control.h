// One thread with a loop of its own beside the workers, for what belongs to no request: health checks, discovery, the admin endpoint,
// watching files. It is there before the first worker and after the last.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "net/loop.h"
#include "server/generation.h"

namespace rproxy::server {

class Control {
 public:
  // Something that lives on the control thread: made, told and destroyed there. It must not block: others wait behind it.
  class Resident {
   public:
    Resident() = default;
    Resident(const Resident&) = delete;
    Resident& operator=(const Resident&) = delete;
    virtual ~Resident() = default;
    // What serves from now on: the first configuration, and each one that a reload puts in its place, when the workers have it. What of
    // its work so far it keeps is the resident's choice.
    virtual void adopt(const std::shared_ptr<const Generation>& generation) = 0;
  };
  using Factory = std::function<std::unique_ptr<Resident>(net::Loop& loop)>;

  // Of the loop's buffers.
  explicit Control(std::size_t buffer_size) : loop_(buffer_size) {}
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;
  ~Control() { stop(); }

  // Before start(). What cannot be had, such as a socket, is to be looked for before, so that `make` does not fail. Residents end in the
  // opposite order.
  void add(Factory make) { factories_.push_back(std::move(make)); }
  // Returns when all residents have been made and told.
  void start(std::shared_ptr<const Generation> generation);
  // Safe to call again.
  void stop();

  // From any thread, after start().
  void adopt(std::shared_ptr<const Generation> generation);
  template <typename Function>
  void post(Function function) {
    loop_.post(std::move(function));
  }

 private:
  void tell(const std::shared_ptr<const Generation>& generation);

  net::Loop loop_;
  std::vector<Factory> factories_;
  std::vector<std::unique_ptr<Resident>> residents_;  // the thread's own
  std::thread thread_;
};

}  // namespace rproxy::server
