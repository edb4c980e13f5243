#include "check/compression_step.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "http/content_coding.h"

namespace rproxy::check {

std::optional<std::string> compression_step(const http::Fields& request, const filter::CompressionOptions& options) {
  if (!options.enabled || !request.has(http::FieldId::kAcceptEncoding)) return std::nullopt;
  const auto choice = http::choose_coding(http::AcceptedCodings::of(request), options.codings);
  if (!choice.coding) return "none: the client asks for none of the route's codings";
  std::string text =
      fmt::format("{} for {} from {} on", to_string(*choice.coding),
                  options.types.empty() ? "text and the like" : fmt::format("{}", fmt::join(options.types, ", ")),
                  to_string(options.min_length));
  if (options.dictionary.enabled) text += ", or by a dictionary that the client has";
  return text;
}

}  // namespace rproxy::check
