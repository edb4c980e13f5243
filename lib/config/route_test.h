// What an operator expects of one request: checked by route-check, and nothing to serve.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/node.h"

namespace rproxy::config {

// Nothing: whatever it is.
struct Expectation {
  using Headers = std::vector<std::pair<std::string, std::optional<std::string>>>;
  std::optional<std::string> route;     // its name; "" for none
  std::optional<std::string> upstream;  // "" where no server is asked
  std::optional<std::uint16_t> status;  // of an answer of the proxy's own; 0: a server answers
  std::optional<std::string> location;  // of a redirect
  std::optional<std::string> path;      // and query, as the server gets them
  std::optional<std::string> host;      // as the server gets it
  std::optional<Headers> headers;       // that the server gets, with their values; nothing: it does not get it
  std::optional<std::vector<std::string>> policies;  // what happens on the way, in order

  bool empty() const { return !route && !upstream && !status && !location && !path && !host && !headers && !policies; }
};

struct RouteTest {
  std::string name;  // empty: the request
  std::string request;
  std::vector<std::string> headers;
  std::string from;
  Expectation expect;
  Place at;
};

}  // namespace rproxy::config
