// Whatever comes, an answer is read within its bounds; and a message whose length in the frame is another one is none.
#include <string>

#include "fuzz.h"
#include "http/grpc_health.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rproxy::http;
  const std::string framed(text_of(data, size));
  const auto serving = decode_grpc_health_response(framed);
  FUZZ_CHECK(!serving || (size >= 5 && framed[0] == '\0'));
  FUZZ_CHECK(!serving || !decode_grpc_health_response(framed + '\x08'));
  FUZZ_CHECK(!serving || !decode_grpc_health_response(framed.substr(0, size - 1)));
  // What is asked has the same framing, and a string where a number would be.
  const auto asked = decode_grpc_health_response(encode_grpc_health_request(framed));
  FUZZ_CHECK(asked && *asked == GrpcServing::kUnknown);
  return 0;
}
