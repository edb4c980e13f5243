#include "http/cookie.h"

#include "http/characters.h"

namespace rproxy::http {

std::optional<std::string_view> find_cookie(const Fields& fields, std::string_view name) {
  for (const Field& field : fields) {
    if (field.id != FieldId::kCookie) continue;
    for (auto rest = field.value; !rest.empty();) {
      const auto end = rest.find(';');
      const auto pair = trim(rest.substr(0, end));
      rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
      if (pair.size() > name.size() && pair[name.size()] == '=' && pair.starts_with(name)) {
        return pair.substr(name.size() + 1);
      }
    }
  }
  return std::nullopt;
}

void remove_cookie(Fields& fields, std::string_view name, Arena& arena) {
  for (Field& field : fields.lines()) {
    if (field.id != FieldId::kCookie) continue;
    std::string_view kept;
    bool is_changed = false;
    for (auto rest = field.value; !rest.empty();) {
      const auto end = rest.find(';');
      const auto pair = trim(rest.substr(0, end));
      rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
      if (pair.size() > name.size() && pair[name.size()] == '=' && pair.starts_with(name)) {
        is_changed = true;
      } else if (!pair.empty()) {
        kept = kept.empty() ? pair : arena.concat({kept, "; ", pair});
      }
    }
    if (is_changed) field.value = kept;
  }
  fields.remove_if([](const Field& field) { return field.id == FieldId::kCookie && field.value.empty(); });
}

}  // namespace rproxy::http
