#include "http/fields.h"

#include <algorithm>
#include <array>

#include "http/characters.h"

namespace rproxy::http {
namespace {

constexpr auto kFieldNames = std::to_array<std::string_view>({
    "",
#define RPROXY_FIELD(id, name) name,
#include "http/field_names.inc"
#undef RPROXY_FIELD
});

// Length and three characters, without case, tell our names apart well enough.
constexpr std::size_t kSlots = 256;
constexpr std::size_t hash_name(std::string_view name) {
  const auto at = [name](std::size_t i) {
    return static_cast<std::size_t>(static_cast<unsigned char>(name[i]) | 0x20);
  };
  return (name.size() * 7 + at(0) * 3 + at(name.size() / 2) * 31 + at(name.size() - 1) * 13) % kSlots;
}

constexpr std::array<std::uint8_t, kSlots> make_slots() {
  std::array<std::uint8_t, kSlots> slots{};
  for (std::size_t id = 1; id < kFieldNames.size(); ++id) {
    if (kFieldNames[id].empty()) continue;
    std::size_t slot = hash_name(kFieldNames[id]);
    while (slots[slot] != 0) slot = (slot + 1) % kSlots;
    slots[slot] = static_cast<std::uint8_t>(id);
  }
  return slots;
}

constexpr auto kSlotTable = make_slots();

}  // namespace

std::string_view field_name(FieldId id) { return kFieldNames[static_cast<std::size_t>(id)]; }

FieldId field_id(std::string_view name) {
  if (name.empty()) return FieldId::kOther;
  for (std::size_t slot = hash_name(name); kSlotTable[slot] != 0; slot = (slot + 1) % kSlots) {
    if (equals_ignoring_case(kFieldNames[kSlotTable[slot]], name)) return static_cast<FieldId>(kSlotTable[slot]);
  }
  return FieldId::kOther;
}

FieldId field_id_with_hyphens(std::string_view name) {
  constexpr std::size_t kLongest = 32;
  if (name.size() > kLongest || name.find('_') == std::string_view::npos) return field_id(name);
  char spelt[kLongest];
  std::replace_copy(name.begin(), name.end(), spelt, '_', '-');
  return field_id({spelt, name.size()});
}

std::string joined(const Fields& fields, FieldId id) {
  std::string text;
  for (const Field& field : fields) {
    if (field.id != id) continue;
    if (!text.empty()) text += ", ";
    text += field.value;
  }
  return text;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i] && to_lower(a[i]) != to_lower(b[i])) return false;
  }
  return true;
}

bool list_contains(std::string_view list, std::string_view token) {
  bool found = false;
  for_each_element(list, [&](std::string_view element) {
    found = equals_ignoring_case(element, token);
    return !found;
  });
  return found;
}

const Field* Fields::find(FieldId id) const {
  for (const Field& field : fields_) {
    if (field.id == id) return &field;
  }
  return nullptr;
}

const Field* Fields::find(std::string_view name) const {
  if (const FieldId id = field_id(name); id != FieldId::kOther) return find(id);
  for (const Field& field : fields_) {
    if (field.id == FieldId::kOther && equals_ignoring_case(field.name, name)) return &field;
  }
  return nullptr;
}

std::string_view Fields::get(FieldId id) const {
  const Field* field = find(id);
  return field != nullptr ? field->value : std::string_view{};
}

std::size_t Fields::count(FieldId id) const {
  return static_cast<std::size_t>(std::ranges::count(fields_, id, &Field::id));
}

void Fields::set(FieldId id, std::string_view value) {
  const auto first = std::ranges::find(fields_, id, &Field::id);
  if (first == fields_.end()) return add(id, value);
  first->value = value;
  fields_.erase(std::remove_if(first + 1, fields_.end(), [id](const Field& field) { return field.id == id; }),
                fields_.end());
}

void Fields::set(std::string_view name, std::string_view value) {
  if (const FieldId id = field_id(name); id != FieldId::kOther) return set(id, value);
  const auto same = [name](const Field& field) {
    return field.id == FieldId::kOther && equals_ignoring_case(field.name, name);
  };
  const auto first = std::ranges::find_if(fields_, same);
  if (first == fields_.end()) return add(Field{name, value, FieldId::kOther});
  first->value = value;
  fields_.erase(std::remove_if(first + 1, fields_.end(), same), fields_.end());
}

std::size_t Fields::remove(FieldId id) {
  return remove_if([id](const Field& field) { return field.id == id; });
}

std::size_t Fields::remove(std::string_view name) {
  if (const FieldId id = field_id(name); id != FieldId::kOther) return remove(id);
  return remove_if(
      [name](const Field& field) { return field.id == FieldId::kOther && equals_ignoring_case(field.name, name); });
}

}  // namespace rproxy::http
