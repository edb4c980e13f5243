// What a content may become: a few bytes that decode to gigabytes are an attack, not a content.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rproxy::codec {

struct ExpansionLimits {
  std::uint64_t floor = 1024 * 1024;  // so much may come of anything
  std::uint64_t ratio_max =
      200;  // beyond it, so many times the input. Text stays below 100, DEFLATE ends at 1032. 0: any
  std::uint64_t output_max = 0;  // in any case. 0: any
};

class Expansion {
 public:
  explicit Expansion(const ExpansionLimits& limits = {}) : limits_(limits) {}

  // Whether it is still within its limits.
  bool add(std::size_t in, std::size_t out) {
    in_ += in;
    out_ += out;
    if (limits_.output_max != 0 && out_ > limits_.output_max) return false;
    return limits_.ratio_max == 0 || out_ <= limits_.floor || out_ / limits_.ratio_max <= in_;
  }

  std::uint64_t in() const { return in_; }
  std::uint64_t out() const { return out_; }

 private:
  ExpansionLimits limits_;
  std::uint64_t in_ = 0;
  std::uint64_t out_ = 0;
};

}  // namespace rproxy::codec
