// What becomes of a request's header between a client and a server.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "check/explanation.h"
#include "exchange/exchange.h"

namespace rproxy::check {

class HeaderChanges {
 public:
  // Remembers the fields as they are.
  explicit HeaderChanges(const exchange::Request& request);
  // Those that have come and gone since.
  void tell(const exchange::Request& request, Explanation& out) const;

 private:
  std::vector<std::pair<std::string, std::string>> before_;
};

}  // namespace rproxy::check
