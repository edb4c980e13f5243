// The threads that wait for the disk, so that no other has to. What is asked for stands in a queue with an end; what can wait stands behind it.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace rproxy {

class DiskThreads {
 public:
  using Task = std::function<void()>;

  DiskThreads(std::size_t count, std::size_t waiting_max);
  DiskThreads(const DiskThreads&) = delete;
  DiskThreads& operator=(const DiskThreads&) = delete;
  ~DiskThreads() { stop(); }

  // False: too many wait, or it has been stopped.
  bool post(Task task);
  // Done when nothing else is to do, or at every sixteenth turn; who calls bounds it. A long piece of work posts its next step each time.
  // False: it has been stopped.
  bool post_behind(Task task);

  // What waits is still done, but for what is posted from then on: who is not done by then forgets the rest.
  void stop();
  bool is_stopping() const;

 private:
  void run();
  bool take(Task& task);

  const std::size_t waiting_max_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> waiting_;
  std::deque<Task> behind_;
  std::size_t turn_ = 0;
  bool is_stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace rproxy
