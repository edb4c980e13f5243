// What time does to a certificate; files that can't be used are golden cases.
#include "check/tls_check.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/temporary_directory.h"
#include "support/test_certificates.h"

namespace rproxy::check {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(TlsCheck, WarnsOfCertificatesThatAreNotOrSoonNoMoreValid) {
  constexpr long kDay = 24L * 3600;
  struct Case {
    long from;
    long to;
    const char* warning;
  };
  const Case cases[] = {
      {-kDay, 90 * kDay, ""},
      {-kDay, 15 * kDay, ""},
      {-kDay, 13 * kDay + 60, "expires in 13 days and 0 hours"},
      {-kDay, 60, "expires in 0 days and 0 hours"},
      {-2 * kDay, -kDay, "has expired"},
      {-2 * kDay, -60, "has expired"},
      {kDay, 90 * kDay, "is not valid yet"},
      {-kDay, 7000 * 365 * kDay, ""},
  };
  const test::TestAuthority authority;
  const test::TemporaryDirectory directory;
  for (const Case& each : cases) {
    const auto pair = authority.issue({.names = {"DNS:shop.com"}, .valid_from = each.from, .valid_to = each.to});
    const std::string text = fmt::format(
        "[listen]\nhttps = \":443\"\n[tls]\ncert = \"{}\"\nkey = \"{}\"\n[[routes]]\nmatch = \"*\"\nrespond = 200\n",
        directory.write("site.pem", pair.cert), directory.write("site.key", pair.key));
    auto loaded = config::load_text("test.toml", text, [](std::string_view) { return std::nullopt; });
    check_tls(loaded);
    EXPECT_TRUE(loaded.ok());
    if (*each.warning == '\0') {
      EXPECT_TRUE(loaded.diagnostics.empty()) << each.to;
      continue;
    }
    ASSERT_EQ(loaded.diagnostics.size(), 1U) << each.warning;
    EXPECT_EQ(loaded.diagnostics[0].id, "RP1309");
    EXPECT_EQ(loaded.diagnostics[0].at.line, 4U);
    EXPECT_THAT(loaded.diagnostics[0].message, HasSubstr(each.warning));
  }
}

// The key itself where its path belongs is an easy mistake to make.
TEST(TlsCheck, ShowsNothingThatCameOutOfTheEnvironment) {
  const std::string text =
      "[listen]\nhttps = \":443\"\n[tls]\ncert = \"${A}\"\nkey = \"${B}\"\n[upstreams.app]\nservers = [\"1.1.1.1:1\"]\n"
      "tls = { ca_file = \"${C}\" }\n[[routes]]\nmatch = \"*\"\nupstream = \"app\"\n";
  auto loaded =
      config::load_text("test.toml", text, [](std::string_view) { return std::optional("hunter2\nhunter2"); });
  check_tls(loaded);
  ASSERT_EQ(loaded.diagnostics.size(), 3U);
  for (const auto& diagnostic : loaded.diagnostics) {
    EXPECT_THAT(config::render(diagnostic, false), Not(HasSubstr("hunter2")));
    EXPECT_THAT(diagnostic.message, HasSubstr("can't read ${"));
  }
}

}  // namespace
}  // namespace rproxy::check
