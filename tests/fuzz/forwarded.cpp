// Whatever a client writes into forwarding fields, reading them ends.
#include "http/forwarded.h"
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rproxy;
  for (const auto id : {http::FieldId::kForwarded, http::FieldId::kXForwardedFor}) {
    http::Fields fields;
    fields.add(id, text_of(data, size));
    (void)http::rightmost_client(fields, [](const IpAddress&) { return true; });
  }
  return 0;
}
