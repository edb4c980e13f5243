// Codes again, and smaller, what is asked for often, on a thread that has time.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <thread>

#include "cache/coded_forms.h"
#include "cache/entry.h"

namespace rproxy::storage {

// Any thread.
class FormImprover {
 public:
  class Listener {
   public:
    // On the thread of the improver.
    virtual void on_improved(const cache::Entry& entry) = 0;

   protected:
    ~Listener() = default;
  };

  explicit FormImprover(Listener& listener) : listener_(listener) {}
  FormImprover(const FormImprover&) = delete;
  FormImprover& operator=(const FormImprover&) = delete;
  ~FormImprover();

  // In its time; not at all where too many wait, or the form is as good as it gets.
  void improve(cache::EntryPtr entry, const cache::CodedForm& form);

 private:
  static constexpr std::size_t kWaitingMax = 64;

  struct Task {
    cache::EntryPtr entry;
    codec::EncoderOptions options;
  };
  void run();
  void work_on(const Task& task);

  Listener& listener_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> waiting_;
  std::thread thread_;  // from the first task on
  std::atomic<bool> is_over_{false};
};

}  // namespace rproxy::storage
