#include "http/grpc_health.h"

#include <gtest/gtest.h>

#include <string>

namespace rproxy::http {
namespace {

using namespace std::string_literals;

std::string framed(const std::string& message) { return "\0\0\0\0"s + static_cast<char>(message.size()) + message; }

TEST(GrpcHealth, AsksForTheServerAsAWholeOrForOneService) {
  EXPECT_EQ(encode_grpc_health_request(""), "\0\0\0\0\0"s);
  EXPECT_EQ(encode_grpc_health_request("shop.Cart"), framed("\x0a\x09shop.Cart"s));
  const std::string longer = encode_grpc_health_request(std::string(300, 'x'));
  EXPECT_EQ(longer.substr(0, 8), "\0\0\0\x01\x2f\x0a\xac\x02"s);
}

TEST(GrpcHealth, ReadsTheStatus) {
  struct Case {
    std::string message;
    std::optional<GrpcServing> expected;
  };
  const Case cases[] = {
      {"\x08\x01"s, GrpcServing::kServing},
      {"\x08\x02"s, GrpcServing::kNotServing},
      {"\x08\x03"s, GrpcServing::kServiceUnknown},
      {""s, GrpcServing::kUnknown},
      {"\x08\x63"s, GrpcServing::kUnknown},
      {"\x08\x02\x08\x01"s, GrpcServing::kServing},     // the last one counts
      {"\x12\x03xyz\x08\x01"s, GrpcServing::kServing},  // unknown fields are passed over
      {"\x19\1\2\3\4\5\6\7\10\x08\x01"s, GrpcServing::kServing},
      {"\x1d\1\2\3\4\x08\x01"s, GrpcServing::kServing},
      {"\x10\xac\x02\x08\x01"s, GrpcServing::kServing},
      {"\x08"s, std::nullopt},
      {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s, std::nullopt},
      {"\x12\x7fxyz"s, std::nullopt},
      {"\x12\xff\xff\xff\xff\xff\xff\xff\xff\x7fxyz"s, std::nullopt},
      {"\x0b\x08\x01"s, std::nullopt},  // a group
      {"\x00\x01"s, std::nullopt},      // field 0
  };
  for (const Case& each : cases) EXPECT_EQ(decode_grpc_health_response(framed(each.message)), each.expected);
}

TEST(GrpcHealth, TakesOneWholeMessageAndNothingElse) {
  const std::string whole = framed("\x08\x01"s);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(decode_grpc_health_response(whole.substr(0, size))) << size;
  }
  EXPECT_FALSE(decode_grpc_health_response(whole + "x"));
  EXPECT_FALSE(decode_grpc_health_response(whole + whole));
  std::string compressed = whole;
  compressed[0] = 1;
  EXPECT_FALSE(decode_grpc_health_response(compressed));
  std::string huge = whole;
  huge[1] = static_cast<char>(0xff);
  EXPECT_FALSE(decode_grpc_health_response(huge));
}

}  // namespace
}  // namespace rproxy::http
