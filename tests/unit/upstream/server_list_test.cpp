// What a file of servers may say, and what is said of one that is wrong.
#include "upstream/server_list.h"

#include <gtest/gtest.h>

namespace rproxy::upstream {
namespace {

TEST(ServerList, TakesAnAddressALineWithItsSettings) {
  const auto list = parse_server_list("app.list",
                                      "# the old ones\n10.0.0.1:8001 weight=2\t# first\n\n  [2001:db8::1]:80  "
                                      "priority=1 max_connections=7\r\nunix:/run/a.sock backup\n");
  ASSERT_TRUE(list) << describe(list.error());
  ASSERT_EQ(list->size(), 3U);
  EXPECT_EQ((*list)[0].address.to_string(), "10.0.0.1:8001");
  EXPECT_EQ((*list)[0].weight, 2U);
  EXPECT_EQ((*list)[1].address.to_string(), "[2001:db8::1]:80");
  EXPECT_EQ((*list)[1].weight, 1U);
  EXPECT_EQ((*list)[1].priority, 1U);
  EXPECT_EQ((*list)[1].max_connections, 7U);
  EXPECT_EQ((*list)[2].address.to_string(), "unix:/run/a.sock");
  EXPECT_EQ((*list)[2].priority, balance::kBackupPriority);
}

TEST(ServerList, NamesTheLineAndTheReason) {
  for (const auto& [text, reason] :
       {std::pair("", "app.list:1: the list has no servers"),
        {"# nothing\n\n", "app.list:2: the list has no servers"},
        {"10.0.0.1:80\n10.0.0.2:8", "app.list:2: the last line has no end: it may still be being written"},
        {"10.0.0.1:80\n10.0.0.2\n", "app.list:2: not an address such as 10.0.0.1:8001: 10.0.0.2"},
        {"10.0.0.1:0\n", "app.list:1: not an address such as 10.0.0.1:8001: 10.0.0.1:0"},
        {":80\n", "app.list:1: not an address such as 10.0.0.1:8001: :80"},
        {"app:80\n", "app.list:1: app:80: a name belongs into servers, not into a list"},
        {"10.0.0.1:80 weight=1001\n", "app.list:1: weight is a whole number from 0 to 1000: weight=1001"},
        {"10.0.0.1:80 weight=\n", "app.list:1: weight is a whole number from 0 to 1000: weight="},
        {"10.0.0.1:80 weight\n", "app.list:1: weight is a whole number from 0 to 1000: weight"},
        {"10.0.0.1:80 wieght=1\n", "app.list:1: wieght=1 is none of weight=, priority=, max_connections= and backup"},
        {"10.0.0.1:80, 10.0.0.2:80\n", "app.list:1: not an address such as 10.0.0.1:8001: 10.0.0.1:80,"}}) {
    const auto list = parse_server_list("app.list", text);
    ASSERT_FALSE(list) << text;
    EXPECT_EQ(list.error().code, ErrorCode::kFile);
    EXPECT_EQ(list.error().context, reason);
  }
}

TEST(ServerList, TakesNoMoreThanItsLimit) {
  std::string text;
  for (std::size_t i = 0; i < kListedServersMax; ++i) text += "10.0.0.1:80\n";
  EXPECT_TRUE(parse_server_list("app.list", text));
  EXPECT_EQ(parse_server_list("app.list", text + "10.0.0.1:80\n").error().context,
            "app.list:10001: more than 10000 servers");
}

}  // namespace
}  // namespace rproxy::upstream
