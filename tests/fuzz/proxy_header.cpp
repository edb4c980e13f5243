// Any split of the bytes gives the same verdict, and what is understood and written again tells the same addresses.
#include "net/proxy_protocol.h"

#include <string>

#include "fuzz.h"

namespace {

using namespace rproxy;

constexpr std::size_t kMax = 1024;

void check_parts(std::string_view bytes, const Result<std::size_t>& whole) {
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    net::ProxyHeader header;
    const auto part = net::parse_proxy_header(bytes.substr(0, size), kMax, header);
    if (!part) {
      FUZZ_CHECK(!whole);
      return;
    }
    if (*part == 0) continue;
    FUZZ_CHECK(whole && *part == *whole);
    return;
  }
}

void check_text(std::string_view text, std::string_view bytes) {
  FUZZ_CHECK(text.empty() || (text.data() >= bytes.data() && text.data() + text.size() <= bytes.data() + bytes.size()));
}

void check_written(const net::ProxyHeader& header) {
  net::ProxyHeader again;
  const std::string bytes = net::write_proxy_header(header);
  const auto parsed = net::parse_proxy_header(bytes, net::kProxyBinaryMax, again);
  FUZZ_CHECK(parsed && *parsed == bytes.size() && again.version == header.version);
  if (!again.has_addresses) {
    FUZZ_CHECK(!header.has_addresses || header.source.is_unix);
    return;
  }
  FUZZ_CHECK(again.source == header.source && again.destination == header.destination);
  FUZZ_CHECK(again.tls.used == header.tls.used);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = text_of(data, size);
  net::ProxyHeader header;
  const auto whole = net::parse_proxy_header(bytes, kMax, header);
  check_parts(bytes, whole);
  if (!whole || *whole == 0) return 0;
  FUZZ_CHECK(*whole <= size && *whole <= kMax);
  const auto consumed = bytes.substr(0, *whole);
  for (const auto text : {header.alpn, header.authority, header.unique_id, header.tls.version, header.tls.cipher,
                          header.tls.client_name}) {
    check_text(text, consumed);
  }
  check_written(header);
  return 0;
}
