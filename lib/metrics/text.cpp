#include "metrics/text.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

namespace rproxy::metrics {
namespace {

void append_escaped(std::string& out, std::string_view text, bool is_quoted) {
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\\' || (c == '"' && is_quoted)) {
      out += '\\';
      out += c;
    } else {
      out += c;
    }
  }
}

std::string_view to_string(Text::Type type) {
  switch (type) {
    case Text::Type::kCounter:
      return "counter";
    case Text::Type::kGauge:
      return "gauge";
    case Text::Type::kHistogram:
      break;
  }
  return "histogram";
}

double seconds(std::int64_t us) { return static_cast<double>(us) / 1e6; }

}  // namespace

void Text::family(std::string_view name, Type type, std::string_view help) {
  name_ = name;
  out_ += fmt::format("# HELP {} ", name_);
  append_escaped(out_, help, false);
  out_ += fmt::format("\n# TYPE {} {}\n", name_, to_string(type));
}

// Up to the value.
void Text::begin(std::string_view suffix, Labels labels, std::string_view bound) {
  out_ += name_;
  out_ += suffix;
  char separator = '{';
  const auto add = [this, &separator](std::string_view name, std::string_view value) {
    out_ += separator;
    separator = ',';
    out_ += name;
    out_ += "=\"";
    append_escaped(out_, value, true);
    out_ += '"';
  };
  for (const Label& label : labels) add(label.name, label.value);
  if (!bound.empty()) add("le", bound);
  out_ += separator == '{' ? " " : "} ";
}

void Text::sample(Labels labels, std::uint64_t value) {
  begin({}, labels);
  fmt::format_to(std::back_inserter(out_), "{}\n", value);
}

void Text::sample(Labels labels, double value) {
  begin({}, labels);
  if (std::isnan(value)) {
    out_ += "NaN\n";
  } else if (std::isinf(value)) {
    out_ += value > 0 ? "+Inf\n" : "-Inf\n";
  } else {
    fmt::format_to(std::back_inserter(out_), "{}\n", value);
  }
}

void Text::sample(Labels labels, const Histogram& histogram) {
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < Histogram::kBuckets; ++i) {
    below += histogram.bucket(i);
    const bool is_last = i == Histogram::kBounds.size();
    begin("_bucket", labels, is_last ? "+Inf" : fmt::format("{}", seconds(Histogram::kBounds.at(i))));
    fmt::format_to(std::back_inserter(out_), "{}\n", below);
  }
  begin("_sum", labels);
  fmt::format_to(std::back_inserter(out_), "{}\n", seconds(histogram.sum().count()));
  // Not asked anew: by now it may be more than the last bucket says.
  begin("_count", labels);
  fmt::format_to(std::back_inserter(out_), "{}\n", below);
}

}  // namespace rproxy::metrics
