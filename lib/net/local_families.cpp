#include "net/local_families.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <memory>

namespace rproxy::net {

LocalFamilies local_families() {
  LocalFamilies found;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) == 0) {
    const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> guard(list, ::freeifaddrs);
    for (const ifaddrs* each = list; each != nullptr; each = each->ifa_next) {
      if (each->ifa_addr == nullptr) continue;
      const bool is_loopback = (each->ifa_flags & IFF_LOOPBACK) != 0;
      if (each->ifa_addr->sa_family == AF_INET) {
        found.v4 = found.v4 || !is_loopback;
      } else if (each->ifa_addr->sa_family == AF_INET6) {
        const auto& address = reinterpret_cast<const sockaddr_in6*>(each->ifa_addr)->sin6_addr;
        found.loopback_v6 = found.loopback_v6 || is_loopback;
        found.v6 = found.v6 || (!is_loopback && !IN6_IS_ADDR_LINKLOCAL(&address));
      }
    }
  }
  if (!found.v4 && !found.v6) found.v4 = found.v6 = true;
  return found;
}

}  // namespace rproxy::net
