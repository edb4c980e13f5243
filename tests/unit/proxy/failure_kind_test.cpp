#include "proxy/failure_kind.h"

#include <gtest/gtest.h>

namespace rproxy::proxy {
namespace {

using metrics::Failure;

TEST(FailureKind, TellsApartHowAnEndpointFailed) {
  struct Case {
    ErrorCode code;
    Failure kind;
  };
  for (const Case& each :
       {Case{ErrorCode::kConnectRefused, Failure::kConnect}, Case{ErrorCode::kTlsVerify, Failure::kTls},
        Case{ErrorCode::kConnectTimeout, Failure::kTimeout}, Case{ErrorCode::kReadTimeout, Failure::kTimeout},
        Case{ErrorCode::kTruncated, Failure::kReset}, Case{ErrorCode::kLimitReached, Failure::kRefused},
        Case{ErrorCode::kBadFraming, Failure::kBadResponse}, Case{ErrorCode::kNoEndpoint, Failure::kOther}}) {
    EXPECT_EQ(failure_kind(Error(each.code, Side::kUpstream)), each.kind);
    EXPECT_EQ(failure_kind(Error(each.code, Side::kClient)), std::nullopt);
    EXPECT_EQ(failure_kind(Error(each.code, Side::kLocal)), std::nullopt);
  }
}

}  // namespace
}  // namespace rproxy::proxy
