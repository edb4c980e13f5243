// Prometheus' text exposition format 0.0.4: families one after the other, each with its HELP, its TYPE and its samples.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "metrics/histogram.h"

namespace rproxy::metrics {

struct Label {
  std::string_view name;
  std::string_view value;
};
using Labels = std::initializer_list<Label>;

class Text {
 public:
  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

  enum class Type { kCounter, kGauge, kHistogram };
  // The samples that follow are of this family. A family is begun once: its samples may not be scattered.
  void family(std::string_view name, Type type, std::string_view help);

  // Values are UTF-8 and may hold anything.
  void sample(Labels labels, std::uint64_t value);
  void sample(Labels labels, double value);
  void sample(Labels labels, const Histogram& histogram);

  std::string take() { return std::move(out_); }

 private:
  void begin(std::string_view suffix, Labels labels, std::string_view bound = {});

  std::string out_;
  std::string name_;
};

}  // namespace rproxy::metrics
