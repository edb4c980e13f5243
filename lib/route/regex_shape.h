// What a pattern says of the texts that it matches whole, as far as that can be read off it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rproxy::route {

// What each of them begins with, and what of the pattern comes after that: "/a\.b/[0-9]+" begins with "/a.b/". Nothing where they need
// not begin alike.
struct LiteralPrefix {
  std::string text;
  std::string_view rest;
};
LiteralPrefix literal_prefix(std::string_view pattern);

// A few, guessed by walking the pattern: literals, classes, groups, alternatives and repetitions. None are certain to match, and for what
// the walk does not know there are none.
std::vector<std::string> guess_examples(std::string_view pattern);

}  // namespace rproxy::route
