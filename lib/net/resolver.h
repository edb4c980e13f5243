// Names to addresses and services: the hosts file, then the DNS. One thread; blocks nothing but for a look at small local files.
// Cancelling is destroying the Task. The resolver outlives its tasks.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "base/units.h"
#include "net/dns_message.h"
#include "net/local_families.h"
#include "net/loop.h"
#include "net/options.h"
#include "net/task.h"

namespace rproxy::net {

class Resolver {
 public:
  using Family = AddressFamily;

  struct Answer {
    std::vector<IpAddress> addresses;  // sorted, each once, never none
    Duration ttl{0};
    std::size_t left_out = 0;       // more than ResolverOptions::max_answers
    std::optional<Family> missing;  // of kAny: what could not be asked while the other one answered
  };
  struct Services {
    std::vector<DnsService> services;  // by priority; never none
    Duration ttl{0};
    std::size_t left_out = 0;
  };

  Resolver(Loop& loop, ResolverOptions options) : loop_(loop), options_(std::move(options)) {}
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // Errors of both: kResolveFailed, Side::kLocal, with the name and the reason; no records at all is one, too.
  Task<Result<Answer>> resolve(std::string name, Family family);
  // SRV records, as of "_http._tcp.shop.internal".
  Task<Result<Services>> resolve_srv(std::string name);

 private:
  struct Part;
  Task<Part> ask(std::string name, DnsType type);
  LocalFamilies families() const;
  std::optional<Answer> find_local(const std::string& name, Family family, const LocalFamilies& here) const;
  Answer cut(std::vector<IpAddress> addresses, Duration ttl) const;

  Loop& loop_;
  ResolverOptions options_;
};

}  // namespace rproxy::net
