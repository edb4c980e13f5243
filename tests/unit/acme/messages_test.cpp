#include "acme/messages.h"

#include <gtest/gtest.h>

#include <string>

#include "acme/client.h"

namespace rproxy::acme {
namespace {

using std::chrono::seconds;

WallTime at(std::int64_t second) { return WallTime{seconds{second}}; }

TEST(WallTime, IsRfc3339s) {
  const struct {
    const char* text;
    std::optional<std::int64_t> second;
  } cases[] = {{"1970-01-01T00:00:00Z", 0},
               {"2026-11-27T10:00:00Z", 1795773600},
               {"2026-11-27t10:00:00.999z", 1795773600},
               {"2026-11-27T11:00:00+01:00", 1795773600},
               {"2026-11-27T09:30:00-00:30", 1795773600},
               {"2026-11-27", {}},
               {"2026-11-27T10:00:00", {}},
               {"2026-13-27T10:00:00Z", {}},
               {"2026-11-27T24:00:00Z", {}},
               {"2026-11-27T10:00:00.Z", {}},
               {"2026-11-27T10:00:00Zx", {}},
               {"+026-11-27T10:00:00Z", {}},
               {"1969-12-31T23:59:59Z", {}},
               {"", {}}};
  for (const auto& each : cases) {
    const auto time = parse_time(each.text);
    EXPECT_EQ(time.has_value(), each.second.has_value()) << each.text;
    EXPECT_EQ(time.value_or(at(0)), at(each.second.value_or(0))) << each.text;
  }
  EXPECT_EQ(to_text(at(1795773600)), "2026-11-27T10:00:00Z");
}

TEST(Messages, ADirectoryNeedsItsThreeUrls) {
  const std::string whole =
      R"({"newNonce":"https://a/n","newAccount":"https://a/a","newOrder":"https://a/o",)"
      R"("renewalInfo":"https://a/r","meta":{"externalAccountRequired":true,"profiles":{"shortlived":"six days"}}})";
  const auto directory = parse_directory(whole);
  ASSERT_TRUE(directory);
  EXPECT_EQ(directory->renewal_info, "https://a/r");
  EXPECT_TRUE(directory->needs_external_account);
  EXPECT_EQ(directory->profiles.at("shortlived"), "six days");
  for (const std::string name : {"newNonce", "newAccount", "newOrder"}) {
    std::string text = whole;
    text.replace(text.find(name), name.size(), "other");
    EXPECT_EQ(parse_directory(text).error().code, ErrorCode::kBadResponse) << name;
  }
  for (const std::string text : {"", "[]", "{", "null", "<html>"}) EXPECT_FALSE(parse_directory(text)) << text;
}

TEST(Messages, UrlsThatAreNoneCountAsMissing) {
  for (const std::string url : {"ftp://a/f", "/f", "https://a/f g", "https://a/f\\u0000", ""}) {
    EXPECT_FALSE(parse_order(R"({"status":"ready","authorizations":[],"finalize":")" + url + "\"}")) << url;
  }
  EXPECT_FALSE(parse_order(R"({"status":"ready","authorizations":["x"],"finalize":"https://a/f"})"));
}

TEST(Messages, AProblemSaysAllThatIsKnown) {
  const Problem problem = parse_problem(
      R"({"type":"urn:ietf:params:acme:error:compound","detail":"two\nthings","subproblems":[{"detail":"no A record","identifier":{"type":"dns","value":"a.com"}}]})");
  EXPECT_EQ(problem.word(), "compound");
  EXPECT_EQ(problem.text(), "two things; a.com: no A record");
  EXPECT_EQ(parse_problem("<html>503</html>").text(), "no reason is given");
  EXPECT_EQ(parse_problem(R"({"type":"about:blank"})").word(), "");
}

TEST(Messages, TokensAreNoPaths) {
  EXPECT_TRUE(is_token("evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr_oA"));
  for (const std::string& text : {std::string(), std::string(".."), std::string("a/b"), std::string("a.b"),
                                  std::string("a\0b", 3), std::string(129, 'a')})
    EXPECT_FALSE(is_token(text));
}

TEST(RetryAfter, IsSecondsOrADateWithinADay) {
  const WallTime now = at(784'111'777);
  const struct {
    const char* text;
    std::optional<seconds> wait;
  } cases[] = {{"", {}},
               {"120", seconds{120}},
               {"-5", seconds{0}},
               {"99999999", seconds{86'400}},
               {"99999999999999999999999", {}},
               {"Sun, 06 Nov 1994 08:50:37 GMT", seconds{60}},
               {"Sun, 06 Nov 1994 08:00:00 GMT", seconds{0}},
               {"soon", {}}};
  for (const auto& each : cases) EXPECT_EQ(retry_after(each.text, now), each.wait) << each.text;
}

TEST(AccountState, HasAStatusAndContacts) {
  const auto account = parse_account(R"({"status":"valid","contact":["mailto:a@b.com",1,"mailto:\u0007"]})").value();
  EXPECT_EQ(account.status, "valid");
  EXPECT_EQ(account.contacts, (std::vector<std::string>{"mailto:a@b.com", "mailto: "}));
  EXPECT_TRUE(parse_account(R"({"status":"deactivated"})").value().contacts.empty());
  EXPECT_FALSE(parse_account("{}"));
  EXPECT_FALSE(parse_account("[]"));
}

}  // namespace
}  // namespace rproxy::acme
