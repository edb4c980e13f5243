#include "acme/hook.h"

#include <gtest/gtest.h>

#include "support/temporary_directory.h"

namespace rproxy::acme {
namespace {

Hook shell(std::string script, Duration timeout = Duration{20'000}) {
  Hook hook;
  hook.arguments = {"sh", "-c", std::move(script)};
  hook.environment = {"RPROXY_TEST=value"};
  hook.timeout = timeout;
  return hook;
}

TEST(Hook, IsRunWithItsEnvironmentAndThisOnes) {
  EXPECT_TRUE(run_hook(shell("test \"$RPROXY_TEST\" = value && test -n \"$PATH\"")));
}

TEST(Hook, ToldIsWhyItFailed) {
  const struct {
    const char* script;
    const char* told;
  } cases[] = {{"echo first >&2; echo 'the last line' >&2; exit 3", "sh failed with 3: the last line"},
               {"exit 1", "sh failed with 1"},
               {"kill -9 $$", "sh was ended by signal 9"}};
  for (const auto& each : cases) EXPECT_EQ(run_hook(shell(each.script)).error().context, each.told);
  Hook missing;
  missing.arguments = {"/nowhere/hook"};
  EXPECT_EQ(run_hook(missing).error().code, ErrorCode::kFile);
}

TEST(Hook, WhatDoesNotEndIsKilledWithAllItHasStarted) {
  const auto done = run_hook(shell("sleep 600 & sleep 600", Duration{200}));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().context, "sh did not end within 200ms");
}

TEST(Hook, WhatItHasStartedMayGoOn) { EXPECT_TRUE(run_hook(shell("sleep 5 & exit 0"))); }

}  // namespace
}  // namespace rproxy::acme
