// What of gRPC shows in heads, against the tables of its documents.
#include "http/grpc.h"

#include <gtest/gtest.h>

#include <string>

#include "http/grpc_timeout.h"

namespace rproxy::http {
namespace {

using Kind = GrpcType::Kind;

TEST(GrpcType, IsReadWithItsSuffixAndWrittenBack) {
  struct Case {
    const char* text;
    Kind kind;
    const char* written;
  };
  const Case cases[] = {
      {"application/grpc", Kind::kGrpc, "application/grpc"},
      {"application/grpc+proto", Kind::kGrpc, "application/grpc+proto"},
      {"Application/GRPC+json", Kind::kGrpc, "application/grpc+json"},
      {"application/grpc; charset=utf-8", Kind::kGrpc, "application/grpc"},
      {"application/grpc-web", Kind::kWeb, "application/grpc-web"},
      {"application/grpc-web+proto", Kind::kWeb, "application/grpc-web+proto"},
      {"application/grpc-web-text", Kind::kWebText, "application/grpc-web-text"},
      {"application/grpc-web-text+proto ;x", Kind::kWebText, "application/grpc-web-text+proto"},
      {"application/grpc+", Kind::kNone, ""},
      {"application/grpc+a b", Kind::kNone, ""},
      {"application/grpcx", Kind::kNone, ""},
      {"application/grpc-web-binary", Kind::kNone, ""},
      {"application/json", Kind::kNone, ""},
      {"", Kind::kNone, ""},
  };
  for (const Case& each : cases) {
    Arena arena;
    const GrpcType type = grpc_type(each.text);
    EXPECT_EQ(type.kind, each.kind) << each.text;
    EXPECT_EQ(to_string(type, arena), each.written) << each.text;
  }
}

TEST(GrpcStatus, FollowsFromTheHttpStatus) {
  struct Case {
    int status;
    int grpc;
  };
  const Case cases[] = {
      {400, 13}, {401, 16}, {403, 7}, {404, 12}, {405, 2},  {408, 2},  {413, 8},  {414, 13}, {417, 2},
      {429, 14}, {431, 13}, {499, 1}, {500, 2},  {501, 12}, {502, 14}, {503, 14}, {504, 14}, {505, 2},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(static_cast<int>(grpc_status_of(static_cast<std::uint16_t>(each.status))), each.grpc) << each.status;
  }
}

TEST(GrpcStatus, IsDigitsAndNothingElse) {
  EXPECT_EQ(parse_grpc_status("0"), 0);
  EXPECT_EQ(parse_grpc_status("16"), 16);
  EXPECT_EQ(parse_grpc_status("999"), 999);
  for (const char* text : {"", "-1", "+1", " 1", "1 ", "0x1", "1000", "ok"}) {
    EXPECT_FALSE(parse_grpc_status(text)) << text;
  }
}

TEST(GrpcMessage, IsPercentEncoded) {
  struct Case {
    const char* text;
    const char* encoded;
  };
  const Case cases[] = {
      {"", ""},
      {"Bad Gateway ~!", "Bad Gateway ~!"},
      {"100%", "100%25"},
      {"a\r\nb\tc\x7f", "a%0D%0Ab%09c%7F"},
      {"\xe2\x82\xac", "%E2%82%AC"},
  };
  for (const Case& each : cases) {
    Arena arena;
    EXPECT_EQ(encode_grpc_message(each.text, arena), each.encoded);
  }
}

TEST(GrpcTimeout, IsAtMostEightDigitsAndAUnit) {
  struct Case {
    const char* text;
    std::int64_t microseconds;  // -1: malformed
  };
  const Case cases[] = {
      {"1H", 3'600'000'000},
      {"2M", 120'000'000},
      {"3S", 3'000'000},
      {"4m", 4'000},
      {"5u", 5},
      {"6n", 1},
      {"1000n", 1},
      {"1001n", 2},
      {"0n", 0},
      {"0S", 0},
      {"00000001m", 1'000},
      {"99999999n", 100'000},
      {"99999999S", 31'536'000'000'000},  // a year
      {"99999999H", 31'536'000'000'000},
      {"", -1},
      {"S", -1},
      {"1", -1},
      {"123456789S", -1},
      {"1s", -1},
      {"1h", -1},
      {"-1S", -1},
      {"+1S", -1},
      {" 1S", -1},
      {"1 S", -1},
      {"1S ", -1},
      {"1.5S", -1},
      {"1SS", -1},
  };
  for (const Case& each : cases) {
    const auto parsed = parse_grpc_timeout(each.text);
    EXPECT_EQ(parsed ? parsed->count() : -1, each.microseconds) << each.text;
  }
}

TEST(GrpcTimeout, IsWrittenAsFineAsFitsAndNeverLonger) {
  struct Case {
    std::int64_t microseconds;
    const char* text;
  };
  const Case cases[] = {
      {-5, "1u"},
      {0, "1u"},
      {1, "1u"},
      {99'999'999, "99999999u"},
      {100'000'999, "100000m"},
      {99'999'999'999, "99999999m"},
      {100'000'000'000, "100000S"},
      {1'000'000'000'000'000, "31536000S"},
  };
  for (const Case& each : cases) {
    char text[kGrpcTimeoutSize];
    const std::size_t size = write_grpc_timeout(text, std::chrono::microseconds{each.microseconds});
    EXPECT_EQ(std::string_view(text, size), each.text);
    EXPECT_TRUE(parse_grpc_timeout({text, size}));
  }
}

}  // namespace
}  // namespace rproxy::http
