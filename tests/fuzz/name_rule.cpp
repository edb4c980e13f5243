// A rule in the first line, what a certificate says in the others: whatever they are, the rule is taken or refused with a word, and means a name
// that is exactly what it says.
#include <string>

#include "fuzz.h"
#include "x509/name_rule.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rproxy;
  std::string_view text = text_of(data, size);
  const auto take_line = [&text] {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    return line;
  };
  const std::string written = take_line();
  x509::CertificateNames names;
  names.subject = names.common_name = std::string(text.substr(0, 100));
  while (!text.empty()) names.names.push_back(take_line());
  const auto rule = x509::NameRule::parse(written);
  if (!rule) {
    FUZZ_CHECK(!rule.error().context.empty());
    return 0;
  }
  (void)rule->matches(names);
  const bool is_literal = written.find('*') == std::string::npos;
  for (const char* kind : {"uri:", "cn:", "subject:"}) {
    if (!is_literal || !written.starts_with(kind)) continue;
    const std::string value = written.substr(std::string(kind).size());
    names.names = {"URI:" + value};
    names.common_name = names.subject = value;
    // A control character makes it no name.
    const bool is_clean = std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c < 0x7f; });
    FUZZ_CHECK(rule->matches(names) == (is_clean || kind[0] != 'u'));
  }
  return 0;
}
