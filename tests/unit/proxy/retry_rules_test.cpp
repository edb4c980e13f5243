#include "proxy/retry_rules.h"

#include <gtest/gtest.h>

namespace rproxy::proxy {
namespace {

http::RequestHead asking(std::string_view method) {
  http::RequestHead head;
  head.method = method;
  head.method_id = http::method_id(method);
  return head;
}

Error failure(ErrorCode code, Retry retry, Side side = Side::kUpstream) { return Error(code, side, retry); }

TEST(RetryRules, TellWhoHasCutAnAnswerShort) {
  for (const auto code : {ErrorCode::kReset, ErrorCode::kClosed, ErrorCode::kTruncated, ErrorCode::kBadFraming,
                          ErrorCode::kReadTimeout}) {
    EXPECT_TRUE(is_cut_by_endpoint(failure(code, Retry::kNever)));
    EXPECT_FALSE(is_cut_by_endpoint(failure(code, Retry::kNever, Side::kClient)));
    EXPECT_FALSE(is_cut_by_endpoint(failure(code, Retry::kNever, Side::kLocal)));
  }
  // By us, for the time it took or for what the client does.
  for (const auto code : {ErrorCode::kCancelled, ErrorCode::kRequestTimeout, ErrorCode::kLimitReached}) {
    EXPECT_FALSE(is_cut_by_endpoint(failure(code, Retry::kNever)));
  }
}

TEST(RetryRules, TellWhatIsTriedAgainByDefault) {
  const upstream::RetryOptions options;
  struct Case {
    Error error;
    bool for_get;
    bool for_post;
  };
  const Case cases[] = {
      {failure(ErrorCode::kConnectRefused, Retry::kSafe), true, true},
      {failure(ErrorCode::kConnectTimeout, Retry::kSafe), true, true},
      {failure(ErrorCode::kTlsHandshake, Retry::kSafe), true, true},
      {failure(ErrorCode::kLimitReached, Retry::kSafe), true, true},
      {failure(ErrorCode::kReset, Retry::kSafe), true, true},
      {failure(ErrorCode::kReset, Retry::kIdempotent), true, false},
      {failure(ErrorCode::kClosed, Retry::kIdempotent), true, false},
      {failure(ErrorCode::kReadTimeout, Retry::kIdempotent), false, false},
      {failure(ErrorCode::kBadResponse, Retry::kNever), false, false},
      {failure(ErrorCode::kReset, Retry::kSafe, Side::kClient), false, false},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(describe(each.error));
    EXPECT_EQ(allows_retry(options, asking("GET"), each.error), each.for_get);
    EXPECT_EQ(allows_retry(options, asking("POST"), each.error), each.for_post);
  }
  for (std::uint16_t status = 100; status < 1000; ++status) EXPECT_FALSE(allows_retry(options, asking("GET"), status));
}

TEST(RetryRules, EachEventIsAskedForByItsName) {
  struct Case {
    bool upstream::RetryOn::*event;
    Error error;
  };
  const Case cases[] = {
      {&upstream::RetryOn::connect_failure, failure(ErrorCode::kUnreachable, Retry::kSafe)},
      {&upstream::RetryOn::refused_stream, failure(ErrorCode::kLimitReached, Retry::kSafe)},
      {&upstream::RetryOn::reset, failure(ErrorCode::kReset, Retry::kIdempotent)},
      {&upstream::RetryOn::timeout, failure(ErrorCode::kReadTimeout, Retry::kIdempotent)},
  };
  for (const Case& asked : cases) {
    upstream::RetryOptions options;
    options.on = {false, false, false, false, {}};
    options.on.*asked.event = true;
    for (const Case& each : cases) {
      EXPECT_EQ(allows_retry(options, asking("GET"), each.error), each.event == asked.event) << describe(each.error);
    }
  }
}

TEST(RetryRules, AStatusIsTriedAgainOnlyForWhatMayBeProcessedTwice) {
  upstream::RetryOptions options;
  options.on.statuses.set(503);
  EXPECT_TRUE(allows_retry(options, asking("GET"), 503));
  EXPECT_FALSE(allows_retry(options, asking("GET"), 502));
  EXPECT_FALSE(allows_retry(options, asking("POST"), 503));
  options.methods = {"POST", "PURGE"};
  EXPECT_TRUE(allows_retry(options, asking("POST"), 503));
  EXPECT_TRUE(allows_retry(options, asking("PURGE"), failure(ErrorCode::kReset, Retry::kIdempotent)));
  EXPECT_FALSE(allows_retry(options, asking("GET"), 503)) << "methods are these and no others";
}

}  // namespace
}  // namespace rproxy::proxy
