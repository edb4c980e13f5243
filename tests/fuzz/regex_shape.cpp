// What is read off a pattern is true of it.
#include "route/regex_shape.h"

#include "fuzz.h"
#include "route/predicate.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rproxy;
  const std::string pattern(text_of(data, size));
  const auto prefix = route::literal_prefix(pattern);
  const auto examples = route::guess_examples(pattern);
  std::string error;
  const auto regex = route::compile_regex(pattern, error);
  if (!regex) return 0;
  for (const std::string& example : examples) {
    if (re2::RE2::FullMatch(example, *regex)) FUZZ_CHECK(example.starts_with(prefix.text));
  }
  // A pattern that is all literal matches that, and nothing that differs from it.
  if (!prefix.rest.empty()) return 0;
  FUZZ_CHECK(re2::RE2::FullMatch(prefix.text, *regex));
  FUZZ_CHECK(!re2::RE2::FullMatch(prefix.text + "x", *regex));
  return 0;
}
