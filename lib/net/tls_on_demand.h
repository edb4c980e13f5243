// Certificates that are made when a client asks for a name that there is none for. Any thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace rproxy::net {

class TlsOnDemand {
 public:
  virtual ~TlsOnDemand() = default;
  // Whether one may come for that name, in lower case, so that waiting is worth it.
  virtual bool may_come(std::string_view name) const = 0;
  // `told` is called once, on any thread, when it is shown, is not to be had, or has taken too long.
  virtual void have_made(const std::string& name, std::function<void(bool)> told) = 0;
};

}  // namespace rproxy::net
