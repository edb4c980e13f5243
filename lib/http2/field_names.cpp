#include "http2/field_names.h"

#include <algorithm>
#include <array>

namespace rproxy::http2 {
namespace {

struct Name {
  static constexpr std::size_t kLongest = 40;
  char text[kLongest]{};
  std::size_t size = 0;

  constexpr Name() = default;
  constexpr explicit Name(std::string_view name) : size(name.size()) {
    std::ranges::transform(name, text, [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  }
};

constexpr std::array kNames = {
    Name(),
#define RPROXY_FIELD(id, name) Name(name),
#include "http/field_names.inc"
#undef RPROXY_FIELD
};

}  // namespace

std::string_view lower_case_name(http::FieldId id) {
  const Name& name = kNames[static_cast<std::size_t>(id)];
  return {name.text, name.size};
}

}  // namespace rproxy::http2
