// What two configurations do differently: behaviour, not text.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"

namespace rproxy::check {

struct Difference {
  std::string request;  // "GET https://shop.com/images/", and what else it has
  std::string before;   // "route shop.com/*, to shop"
  std::string after;
};

// Of the requests that either's rules tell apart: an example of each rule, and of what lies just beyond each of its conditions. How many
// those were is in `asked`.
std::vector<Difference> compare(const config::Config& before, const config::Config& after, std::size_t& asked);

std::string render_text(const std::vector<Difference>& differences);
std::string render_json(const std::vector<Difference>& differences);

}  // namespace rproxy::check
