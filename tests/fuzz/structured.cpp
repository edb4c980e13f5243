// Whatever comes, a field is read within its bounds; and what is read is what was written: no empty names, values within their types.
#include "http/structured.h"

#include <cmath>
#include <set>

#include "fuzz.h"

namespace {

using namespace rproxy::http::structured;

void check_name(const std::string& name) {
  FUZZ_CHECK(!name.empty());
  FUZZ_CHECK((name[0] >= 'a' && name[0] <= 'z') || name[0] == '*');
}

void check_bare(const Bare& value) {
  constexpr std::int64_t kIntegerMax = 999'999'999'999'999;
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    FUZZ_CHECK(*number >= -kIntegerMax && *number <= kIntegerMax);
  } else if (const auto* decimal = std::get_if<double>(&value)) {
    FUZZ_CHECK(std::abs(*decimal) < 1e12);
  } else if (const auto* token = std::get_if<Token>(&value)) {
    FUZZ_CHECK(!token->text.empty());
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    for (const char c : *text) FUZZ_CHECK(c >= 0x20 && c <= 0x7e);
  }
}

void check_parameters(const Parameters& parameters) {
  std::set<std::string> names;
  for (const auto& [name, value] : parameters) {
    check_name(name);
    FUZZ_CHECK(names.insert(name).second);
    check_bare(value);
  }
}

void check_member(const Member& member) {
  FUZZ_CHECK(member.is_list || (member.items.size() == 1 && member.parameters.empty()));
  for (const Item& item : member.items) {
    check_bare(item.value);
    check_parameters(item.parameters);
  }
  check_parameters(member.parameters);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = text_of(data, size);
  const auto list = parse_list(text);
  if (list) {
    for (const Member& member : *list) check_member(member);
    // Spaces around it mean nothing; a comma behind it does.
    const auto spaced = parse_list("  " + std::string(text) + " ");
    FUZZ_CHECK(spaced && spaced->size() == list->size());
    FUZZ_CHECK(!parse_list(std::string(text) + ",") || list->empty());
    // A second line of the same is as much again.
    if (!list->empty()) {
      const auto twice = parse_list(std::string(text) + ", " + std::string(text));
      FUZZ_CHECK(twice && twice->size() == 2 * list->size());
    }
  }
  if (const auto dictionary = parse_dictionary(text)) {
    std::set<std::string> names;
    for (const auto& [name, member] : *dictionary) {
      check_name(name);
      FUZZ_CHECK(names.insert(name).second);
      FUZZ_CHECK(find(*dictionary, name) == &member);
      check_member(member);
    }
  }
  return 0;
}
