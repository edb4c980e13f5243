#include "acme/progress.h"

#include <gtest/gtest.h>

#include "support/test_certificates.h"
#include "x509/certified_key.h"

namespace rproxy::acme {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// Of ninety days, from now on.
x509::Certificate certificate() {
  static const test::TestAuthority authority;
  const auto pair = authority.issue({.names = {"DNS:shop.com"}, .valid_from = 0});
  return x509::parse_certificates(pair.cert, "test", 1).value().front();
}

Failure failure(std::string type = {}) {
  Failure failed(Error(ErrorCode::kBadResponse, Side::kUpstream));
  if (!type.empty()) failed.problem.emplace().type = "urn:ietf:params:acme:error:" + type;
  return failed;
}

TEST(Progress, WhatIsNotThereIsDueAtOnce) { EXPECT_EQ(due_at(nullptr, {}, {}, WallTime{hours{1}}), WallTime{}); }

TEST(Progress, ACertificateIsDueAsTheServerSaysOrByItsLifeAndBeforeItEnds) {
  const auto leaf = certificate();
  const Options options;
  Progress progress;
  EXPECT_EQ(renewal_of(leaf, progress, options), leaf.not_before() + hours{60 * 24});
  progress.renew_at = leaf.not_before() + hours{1};
  EXPECT_EQ(renewal_of(leaf, progress, options), leaf.not_before() + hours{1});
  progress.renew_at = leaf.not_after() + hours{1};
  EXPECT_EQ(renewal_of(leaf, progress, options), leaf.not_before() + hours{81 * 24});
}

TEST(Progress, WhatFailedIsDueWhenItMayBeTriedAgainUnlessTheClockWasWrong) {
  const auto leaf = certificate();
  const WallTime now = leaf.not_after();
  Progress progress;
  progress.retry_at = now + hours{2};
  EXPECT_EQ(due_at(&leaf, progress, {}, now), now + hours{2});
  progress.retry_at = now + hours{200};
  EXPECT_LT(due_at(&leaf, progress, {}, now), now);
}

TEST(Progress, FailuresAreCountedUntilThereIsACertificate) {
  const auto leaf = certificate();
  const WallTime now = leaf.not_before() + hours{60 * 24};
  Progress progress;
  EXPECT_EQ(note_failure(progress, failure("unauthorized"), {}, now, 0), minutes{5});
  EXPECT_EQ(note_failure(progress, failure(), {}, now, 0), minutes{10});
  EXPECT_EQ(progress.failures, 2U);
  EXPECT_EQ(progress.retry_at, now + minutes{10});
  const Progress next = progress_of_issued(leaf, &leaf, progress, {}, now, 0);
  EXPECT_EQ(next.failures, 0U);
  EXPECT_EQ(next.early, 0U);
  EXPECT_EQ(next.renew_at, leaf.not_before() + hours{60 * 24});
}

TEST(Progress, CertificatesThatAreMadeAnewAtOnceAreHeldBackLongerAndLonger) {
  const auto leaf = certificate();
  const WallTime now = leaf.not_before() + hours{1};
  Progress progress = progress_of_issued(leaf, nullptr, {}, {}, now, 0);
  EXPECT_EQ(progress.retry_at, now + minutes{5});
  progress = progress_of_issued(leaf, &leaf, progress, {}, now, 0);
  EXPECT_EQ(progress.retry_at, now + minutes{10});
  progress.early = 1000;
  progress = progress_of_issued(leaf, &leaf, progress, {}, now, 0);
  EXPECT_EQ(progress.retry_at, now + hours{12});
}

TEST(Progress, TheServersWindowIsChosenWithinOnce) {
  const WallTime now{seconds{1'800'000'000}};
  Client::Suggested said;
  said.info = {now + hours{10}, now + hours{20}, {}};
  said.retry_after = hours{3};
  Progress progress;
  note_suggestion(progress, said, now, 0.5);
  EXPECT_EQ(progress.renew_at, now + hours{15});
  EXPECT_EQ(progress.asked_at, now + hours{3});
  note_suggestion(progress, said, now, 0);
  EXPECT_EQ(progress.renew_at, now + hours{15});
  note_suggestion(progress, tl::unexpected<Failure>(failure()), now, 0);
  EXPECT_EQ(progress.renew_at, now + hours{15});
  EXPECT_EQ(progress.asked_at, now + hours{6});
}

}  // namespace
}  // namespace rproxy::acme
