#include "cache/fit.h"

#include <algorithm>

namespace rproxy::cache {
namespace {

// Whether a part has all that a range asks for.
bool covers(const http::ContentRange& part, const http::RangeSpec& spec) {
  const std::uint64_t size = part.size.value_or(0);
  if (size == 0) return false;
  const std::uint64_t first = spec.first ? *spec.first : size - std::min(spec.last.value_or(0), size);
  const std::uint64_t last = spec.first ? std::min(spec.last.value_or(size - 1), size - 1) : size - 1;
  return first >= part.range.first && last <= part.range.last && first <= last;
}

}  // namespace

Misfit misfit_of(const Meta& meta, const Key& key, const http::Fields& request,
                 const std::optional<http::RangeSpec>& range) {
  if (meta.key != key.text) return Misfit::kKey;
  if (meta.extras != key.extras) return Misfit::kExtras;
  if (meta.part && !(range && covers(*meta.part, *range))) return Misfit::kPart;
  return matches(meta.variant, request) ? Misfit::kNone : Misfit::kVariant;
}

std::optional<http::RangeSpec> wanted_range(const http::RequestHead& request) {
  const auto* range = request.fields.find(http::FieldId::kRange);
  const bool counts =
      range != nullptr && request.method_id == http::Method::kGet && !request.fields.has(http::FieldId::kIfRange);
  return counts ? http::read_single_range(range->value) : std::nullopt;
}

}  // namespace rproxy::cache
