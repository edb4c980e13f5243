// What becomes of a failure: a status, a word for the log, a type for Proxy-Status.
#include "exchange/error_page.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace rproxy::exchange {
namespace {

constexpr auto kLastCode = static_cast<int>(ErrorCode::kFile);
constexpr Side kSides[] = {Side::kClient, Side::kUpstream, Side::kLocal};

bool is_word(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

TEST(Failure, IsTheFaultOfOneSideWhateverItIs) {
  for (int code = 0; code <= kLastCode; ++code) {
    for (const Side side : kSides) {
      const Error error(static_cast<ErrorCode>(code), side);
      const auto status = status_of(error);
      const std::string what = describe(error);
      EXPECT_NE(what, "unknown");
      EXPECT_EQ(status / 100 == 4 || status == 501 || status == 505, side == Side::kClient) << what << status;
      if (side == Side::kUpstream) {
        EXPECT_TRUE(status == 502 || status == 503 || status == 504) << what;
      }
      EXPECT_TRUE(is_word(termination_of(error))) << what;
      EXPECT_TRUE(is_word(proxy_error_of(error))) << what;
      EXPECT_EQ(termination_of(error).starts_with("client_"), side == Side::kClient) << what;
    }
  }
}

TEST(Failure, HasAStatusAndAWord) {
  struct Case {
    ErrorCode code;
    Side side;
    int status;
    const char* word;
  };
  const Case cases[] = {
      {ErrorCode::kBadRequest, Side::kClient, 400, "client_bad_request"},
      {ErrorCode::kReadTimeout, Side::kClient, 408, "client_timeout"},
      {ErrorCode::kWriteTimeout, Side::kClient, 400, "client_send_timeout"},
      {ErrorCode::kRequestTimeout, Side::kClient, 408, "client_deadline"},
      {ErrorCode::kBodyTooLarge, Side::kClient, 413, "client_body_too_large"},
      {ErrorCode::kUriTooLong, Side::kClient, 414, "client_bad_request"},
      {ErrorCode::kExpectationFailed, Side::kClient, 417, "client_bad_request"},
      {ErrorCode::kHeadTooLarge, Side::kClient, 431, "client_bad_request"},
      {ErrorCode::kMethodUnsupported, Side::kClient, 501, "client_bad_request"},
      {ErrorCode::kVersionUnsupported, Side::kClient, 505, "client_bad_request"},
      {ErrorCode::kReset, Side::kClient, 400, "client_closed"},
      {ErrorCode::kTruncated, Side::kClient, 400, "client_closed"},
      {ErrorCode::kConnectRefused, Side::kUpstream, 502, "upstream_refused"},
      {ErrorCode::kConnectTimeout, Side::kUpstream, 504, "upstream_connect_timeout"},
      {ErrorCode::kReadTimeout, Side::kUpstream, 504, "upstream_timeout"},
      {ErrorCode::kTlsVerify, Side::kUpstream, 502, "upstream_tls"},
      {ErrorCode::kReset, Side::kUpstream, 502, "upstream_reset"},
      {ErrorCode::kTruncated, Side::kUpstream, 502, "upstream_truncated"},
      {ErrorCode::kBadResponse, Side::kUpstream, 502, "upstream_bad_response"},
      {ErrorCode::kNoEndpoint, Side::kUpstream, 503, "no_endpoint"},
      {ErrorCode::kInternal, Side::kLocal, 500, "internal_error"},
      {ErrorCode::kOutOfDescriptors, Side::kLocal, 503, "internal_error"},
  };
  for (const Case& each : cases) {
    const Error error(each.code, each.side);
    EXPECT_EQ(status_of(error), each.status) << describe(error);
    EXPECT_EQ(termination_of(error), each.word) << describe(error);
  }
}

}  // namespace
}  // namespace rproxy::exchange
