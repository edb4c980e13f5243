// Lists of servers in TOML: the same words as in an upstream, one line for what is wrong.
#include "config/server_file.h"

#include <gtest/gtest.h>

namespace rproxy::config {
namespace {

TEST(ServerFile, TakesTomlByItsName) {
  const auto list = parse_server_file(
      "a/app.toml", "servers = [\n  \"10.0.0.1:80\",\n  { address = \"unix:/run/a.sock\", weight = 3 },\n]\n");
  ASSERT_TRUE(list) << describe(list.error());
  ASSERT_EQ(list->size(), 2U);
  EXPECT_EQ((*list)[0].address.to_string(), "10.0.0.1:80");
  EXPECT_EQ((*list)[1].weight, 3U);
  EXPECT_TRUE(parse_server_file("app.list", "10.0.0.1:80\n"));
  EXPECT_FALSE(parse_server_file("app.list", "servers = [\"10.0.0.1:80\"]\n"));
}

TEST(ServerFile, NamesTheLineAndTheReason) {
  for (const auto& [text, reason] :
       {std::pair("servers = [\n\"10.0.0.1:80\",\n\"10.0.0", "app.toml:3: "),
        {"servers = [\n\"10.0.0.1:80\",\n\"10.0.0.2\"]\n", "app.toml:3: not an address: \"10.0.0.2\""},
        {"\nserver = [\"10.0.0.1:80\"]\n", "app.toml:2: the list has no key server"},
        {"servers = []\n", "app.toml:1: the list has no servers"},
        {"", "app.toml:1: the list has no servers"},
        {"servers = [\"${HOME}:80\"]\n", "app.toml:1: "},
        {"servers = [\"app:80\"]\n",
         "app.toml:1: names, services and files belong into an upstream's servers, not into a list"},
        {"servers = [\"file:/b.toml\"]\n",
         "app.toml:1: names, services and files belong into an upstream's servers, not into a list"}}) {
    const auto list = parse_server_file("app.toml", text);
    ASSERT_FALSE(list) << text;
    EXPECT_EQ(list.error().code, ErrorCode::kFile);
    EXPECT_TRUE(list.error().context.starts_with(reason)) << list.error().context;
    EXPECT_EQ(list.error().context.find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace rproxy::config
