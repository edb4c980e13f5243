// Answers of the DNS, from whoever sent them.
#include "net/dns_message.h"

#include <algorithm>

#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rproxy::net;
  const std::span message(data, size);
  for (const DnsType type : {DnsType::kA, DnsType::kAaaa}) {
    const auto found = parse_addresses(message, type);
    if (!found) continue;
    FUZZ_CHECK(std::ranges::is_sorted(found->addresses));
    FUZZ_CHECK(found->ttl.count() >= 0);
    for (const auto& address : found->addresses)
      FUZZ_CHECK(address.is_v4() == (type == DnsType::kA) || type == DnsType::kAaaa);
  }
  const auto services = parse_services(message);
  if (services) FUZZ_CHECK(std::ranges::is_sorted(services->services));
  return 0;
}
