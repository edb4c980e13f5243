// Where a redirect leads, with what it takes from the request.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "exchange/exchange.h"

namespace rproxy::proxy {

class LocationTemplate {
 public:
  // A URI reference (RFC 9110 10.2.2) with {scheme}, {host} (no port), {path}, {query} and {uri} (path and query). Errors: kConfig, for
  // an unknown variable, a character that no URI has, or a beginning that leads somewhere else than it looks like.
  static Result<LocationTemplate> compile(std::string_view text);

  // In the request's arena. A '?' before an empty {query} goes. Errors: kBadRequest where {host} is wanted and the request has none.
  Result<std::string_view> fill(const exchange::Request& request) const;

 private:
  enum class Part : std::uint8_t { kText, kScheme, kHost, kPath, kQuery, kUri };
  struct Piece {
    Part part;
    std::string text;
  };
  struct Variable {
    std::string_view name;
    Part part;
  };
  static const Variable kVariables[];

  std::vector<Piece> pieces_;
};

// Path and query of a request, as the client meant them.
std::string_view uri_of(const exchange::Request& request);

}  // namespace rproxy::proxy
