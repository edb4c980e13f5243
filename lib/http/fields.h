// Header and trailer fields: ordered, names compared without case (RFC 9110 5). Fields holds views; whoever adds one owns the bytes
// (the connection's buffer, the exchange's arena, or static storage) for as long as the Fields is used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/memory_pool.h"

namespace rproxy::http {

// The names this proxy itself looks at, so that the hot path compares a byte and not a string. kOther is every other name.
enum class FieldId : std::uint8_t {
  kOther,
#define RPROXY_FIELD(id, name) id,
#include "http/field_names.inc"
#undef RPROXY_FIELD
};

// The canonical spelling ("Content-Length"); empty for kOther.
std::string_view field_name(FieldId id);

// kOther when the name is not one of ours. Compares without case; cost is one hash and one comparison.
FieldId field_id(std::string_view name);

// As CGI-like servers read it, for which "X_Forwarded_For" is "X-Forwarded-For".
FieldId field_id_with_hyphens(std::string_view name);

struct Field {
  std::string_view name;
  std::string_view value;  // optional whitespace already trimmed
  FieldId id = FieldId::kOther;
};

class Fields {
 public:
  using Lines = std::vector<Field, PoolAllocator<Field>>;
  using const_iterator = Lines::const_iterator;

  void add(FieldId id, std::string_view value) { fields_.push_back({field_name(id), value, id}); }
  // Works the id out; add(Field) is for a caller that knows it.
  void add(std::string_view name, std::string_view value) { fields_.push_back({name, value, field_id(name)}); }
  void add(const Field& field) { fields_.push_back(field); }

  // The first field line of that name, or nullptr.
  const Field* find(FieldId id) const;
  const Field* find(std::string_view name) const;
  // The first line's value, or empty where there is none (has() tells the difference).
  std::string_view get(FieldId id) const;
  bool has(FieldId id) const { return find(id) != nullptr; }
  std::size_t count(FieldId id) const;

  // Replaces the first line in place and removes the others; adds at the end where there was none.
  void set(FieldId id, std::string_view value);
  void set(std::string_view name, std::string_view value);
  // Returns how many lines went; order of the rest is kept.
  std::size_t remove(FieldId id);
  std::size_t remove(std::string_view name);
  template <typename Predicate>
  std::size_t remove_if(Predicate predicate) {
    return std::erase_if(fields_, predicate);
  }

  const_iterator begin() const { return fields_.begin(); }
  const_iterator end() const { return fields_.end(); }
  Lines& lines() { return fields_; }  // for in-place edits of values
  std::size_t size() const { return fields_.size(); }
  bool empty() const { return fields_.empty(); }
  void clear() { fields_.clear(); }  // keeps the capacity
  void reserve(std::size_t n) { fields_.reserve(n); }

 private:
  Lines fields_;
};

// All lines of that name as one list, in their order (RFC 9110 5.3).
std::string joined(const Fields& fields, FieldId id);

bool equals_ignoring_case(std::string_view a, std::string_view b);

// True when the comma-separated list (RFC 9110 5.6.1) holds the token, without case.
bool list_contains(std::string_view list, std::string_view token);

}  // namespace rproxy::http
