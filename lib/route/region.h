// A set of requests: those of which some conditions of rules hold, and others do not.
//
// Each part of a request is looked at by itself, so that a region is empty exactly where one of its parts can't be had.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "route/rule.h"
#include "route/sample.h"

namespace rproxy::route {

// What is asked of one part of a request. The conditions view the rules.
template <typename T>
struct Asked {
  std::vector<const T*> all_hold;
  std::vector<const T*> none_holds;
};

struct Region {
  enum class Part : std::uint8_t { kHeader, kQuery, kCookie };
  Asked<std::string> host;
  Asked<PathMatch> path;
  Asked<std::vector<std::string>> methods;
  std::map<std::pair<Part, std::string>, Asked<ValueMatch>> values;  // by name, of headers in lower case
  Asked<std::vector<IpNetwork>> client;
};

// Whether a part can be had. kUnknown: no example was found, and no proof that there is none, as of patterns.
enum class Found : std::uint8_t { kExample, kNone, kUnknown };

// An example of all parts in `out`, or why not: kNone is a proof that no request is in the region.
Found find_sample(const Region& region, Sample& out);

// The parts.
Found find_host(const Asked<std::string>& asked, std::string& out);
Found find_path(const Asked<PathMatch>& asked, std::string& out);
Found find_method(const Asked<std::vector<std::string>>& asked, std::string& out);
Found find_client(const Asked<std::vector<IpNetwork>>& asked, IpAddress& out);
// Nothing in `out`: without it.
Found find_value(Region::Part part, const Asked<ValueMatch>& asked, std::optional<std::string>& out);

}  // namespace rproxy::route
