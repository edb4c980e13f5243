// How far a long piece of work is: a line on a terminal that goes when it is done.
#pragma once

#include <cstddef>
#include <string>

#include "base/units.h"

namespace rproxy::cli {

class Progress {
 public:
  // Shown where standard error is a terminal and it takes longer than a second.
  Progress(std::string what, bool is_wanted);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();

  void show(std::size_t done, std::size_t all);
  // Until the next show(): something else is printed.
  void hide();

 private:
  const std::string what_;
  const bool is_on_;
  const TimePoint begun_;
  TimePoint shown_;
  bool is_visible_ = false;
};

}  // namespace rproxy::cli
