#include "check/header_changes.h"

#include <algorithm>

namespace rproxy::check {

HeaderChanges::HeaderChanges(const exchange::Request& request) {
  for (const auto& field : request.head.fields) before_.emplace_back(field.name, field.value);
}

void HeaderChanges::tell(const exchange::Request& request, Explanation& out) const {
  auto gone = before_;
  for (const auto& field : request.head.fields) {
    if (field.id != http::FieldId::kHost) out.sent.push_back({std::string(field.name), std::string(field.value)});
    const auto kept = std::ranges::find(gone, std::pair(std::string(field.name), std::string(field.value)));
    if (kept != gone.end()) {
      gone.erase(kept);
      continue;
    }
    // One that nobody has sent is another for each request.
    const bool is_made = field.id == http::FieldId::kXRequestId;
    out.added.push_back({std::string(field.name), is_made ? "(a new one)" : std::string(field.value)});
  }
  // Said anew to the server, for the protocol that follows.
  if (request.head.upgrade)
    std::erase_if(gone, [](const auto& field) { return http::field_id(field.first) == http::FieldId::kConnection; });
  for (auto& [name, value] : gone) out.removed.push_back({std::move(name), std::move(value)});
}

}  // namespace rproxy::check
