// How each kind of value may be spelt, and which diagnostic a wrong one gets.
#include "config/values.h"

#include <gtest/gtest.h>

#include <limits>

#include "config/source.h"

namespace rproxy::config {
namespace {

// `${N}` is "7"; nothing else is set.
std::optional<std::string> variable(std::string_view name) {
  return name == "N" ? std::optional<std::string>("7") : std::nullopt;
}

// What `key = text` decodes to: the value as TOML, or the id of the first diagnostic.
template <typename T>
std::string decoded(const std::string& text, T start = {}) {
  Problems problems;
  const auto tree = read_text("test.toml", "key = " + text + "\n", variable, problems);
  if (!tree) return "not TOML";
  T out = start;
  decode_value(problems, *tree->find("key"), out);
  return problems.list().empty() ? render_value(out) : problems.list().front().id;
}

struct Case {
  const char* text;
  const char* result;
};

TEST(BoolValue, IsTrueOrFalseAlone) {
  const Case cases[] = {
      {"true", "true"},   {"false", "false"},       {"\"true\"", "RP1003"}, {"\"yes\"", "RP1003"},
      {"1", "RP1003"},    {"0", "RP1003"},          {"[true]", "RP1003"},   {"1.0", "RP1003"},
      {"{}", "RP1003"},   {"2026-01-01", "RP1003"}, {"True", "not TOML"},   {"yes", "not TOML"},
      {"on", "not TOML"},
  };
  for (const Case& each : cases) EXPECT_EQ(decoded<bool>(each.text), each.result) << each.text;
}

TEST(StringValue, IsAnyTomlString) {
  const Case cases[] = {
      {"\"a\"", "\"a\""},
      {"'a\\b'", "\"a\\\\b\""},
      {"\"\"", "\"\""},
      {"\"\\t\"", "\"\\u0009\""},
      {"\"b\\u00fccher\"",
       "\"b\xc3\xbc"
       "cher\""},
      {"'''a\nb'''", "\"a\\u000ab\""},
      {"\"${N}\"", "\"7\""},
      {"\"$$N\"", "\"$N\""},
      {"5", "RP1003"},
      {"true", "RP1003"},
      {"[\"a\"]", "RP1003"},
  };
  for (const Case& each : cases) EXPECT_EQ(decoded<std::string>(each.text), each.result) << each.text;
}

TEST(DurationValue, HasAUnitAndALimit) {
  const Case cases[] = {
      {"\"250ms\"", "\"250ms\""},
      {"\"1m30s\"", "\"1m30s\""},
      {"\"90s\"", "\"1m30s\""},
      {"\"24h\"", "\"1d\""},
      {"\"0\"", "\"0\""},
      {"0", "\"0\""},
      {"\"0s\"", "\"0\""},
      {"\"365d\"", "\"365d\""},
      {"\"8760h\"", "\"365d\""},
      {"\"${N}s\"", "\"7s\""},
      {"\"365d1ms\"", "RP1004"},
      {"\"366d\"", "RP1004"},
      {"\"99999999999999999999s\"", "RP1004"},
      {"\"5\"", "RP1004"},
      {"\"5 s\"", "RP1004"},
      {"\"-5s\"", "RP1004"},
      {"\"\"", "RP1004"},
      {"\"1.5s\"", "RP1004"},
      {"\"5sec\"", "RP1004"},
      {"\"s\"", "RP1004"},
      {"\"1y\"", "RP1004"},
      {"5", "RP1003"},
      {"5.0", "RP1003"},
      {"-1", "RP1003"},
      {"true", "RP1003"},
      {"[\"5s\"]", "RP1003"},
  };
  for (const Case& each : cases) EXPECT_EQ(decoded<Duration>(each.text), each.result) << each.text;
}

TEST(DurationValue, KeepsItsDefaultWhereItIsWrong) {
  Problems problems;
  const auto tree = read_text("test.toml", "key = \"soon\"\n", variable, problems);
  Duration out{1234};
  decode_value(problems, *tree->find("key"), out);
  EXPECT_EQ(out, Duration{1234});
}

TEST(SizeValue, IsBytesOrHasAUnit) {
  const Case cases[] = {
      {"0", "\"0\""},
      {"512", "\"512\""},
      {"\"512\"", "\"512\""},
      {"\"512B\"", "\"512\""},
      {"65536", "\"64KiB\""},
      {"\"64KiB\"", "\"64KiB\""},
      {"\"10MB\"", "\"10000000\""},
      {"\"1kB\"", "\"1000\""},
      {"\"1GiB\"", "\"1GiB\""},
      {"0x400", "\"1KiB\""},
      {"\"${N}KiB\"", "\"7KiB\""},
      {"1_024", "\"1KiB\""},
      {"9223372036854775807", "\"9223372036854775807\""},
      {"-1", "RP1004"},
      {"1.5", "RP1003"},
      {"true", "RP1003"},
      {"\"64KB\"", "RP1004"},
      {"\"64kib\"", "RP1004"},
      {"\"64 KiB\"", "RP1004"},
      {"\"-1\"", "RP1004"},
      {"\"1.5MiB\"", "RP1004"},
      {"\"\"", "RP1004"},
      {"\"1KiB1KiB\"", "RP1004"},
      {"\"99999999999GiB\"", "RP1004"},
      {"9223372036854775808", "not TOML"},
  };
  for (const Case& each : cases) EXPECT_EQ(decoded<ByteSize>(each.text), each.result) << each.text;
}

TEST(IntegerValue, FitsWhatItIsFor) {
  const Case cases[] = {
      {"0", "0"},
      {"65535", "65535"},
      {"0xffff", "65535"},
      {"0o17", "15"},
      {"1_000", "1000"},
      {"\"${N}\"", "7"},
      {"\"${N}0\"", "70"},
      {"65536", "RP1004"},
      {"-1", "RP1004"},
      {"\"${N}x\"", "RP1004"},
      {"\"-${N}\"", "RP1004"},
      {"\"${M:-}\"", "RP1004"},
      {"\"${M:-x}\"", "RP1004"},
      {"\"7\"", "RP1003"},
      {"7.0", "RP1003"},
      {"true", "RP1003"},
  };
  for (const Case& each : cases) EXPECT_EQ(decoded<std::uint16_t>(each.text), each.result) << each.text;
  EXPECT_EQ(decoded<std::uint32_t>("4294967295"), "4294967295");
  EXPECT_EQ(decoded<std::uint32_t>("4294967296"), "RP1004");
  EXPECT_EQ(decoded<std::uint64_t>("9223372036854775807"), "9223372036854775807");
  EXPECT_EQ(decoded<int>("2147483647"), "2147483647");
  EXPECT_EQ(decoded<int>("2147483648"), "RP1004");
}

TEST(StringsValue, IsOneOrSeveral) {
  const Case cases[] = {
      {"\"a\"", "[\"a\"]"},      {"[]", "[]"},      {"[\"a\", \"b\"]", "[\"a\", \"b\"]"},
      {"[\"${N}\"]", "[\"7\"]"}, {"[1]", "RP1003"}, {"[\"a\", 1]", "RP1003"},
      {"1", "RP1003"},           {"{}", "RP1003"},  {"[[\"a\"]]", "RP1003"},
  };
  for (const Case& each : cases)
    EXPECT_EQ(decoded<std::vector<std::string>>(each.text, {"the default"}), each.result) << each.text;
}

TEST(NetworksValue, HaveNoBitsBehindTheirPrefix) {
  const Case cases[] = {
      {"\"10.0.0.0/8\"", "[\"10.0.0.0/8\"]"},
      {"[\"10.0.0.0/8\", \"2001:db8::/32\"]", "[\"10.0.0.0/8\", \"2001:db8::/32\"]"},
      {"\"0.0.0.0/0\"", "[\"0.0.0.0/0\"]"},
      {"\"::/0\"", "[\"::/0\"]"},
      {"\"10.0.0.1/8\"", "RP1004"},
      {"\"10.0.0.0/33\"", "RP1004"},
      {"\"2001:db8::/129\"", "RP1004"},
      {"\"10.0.0.0/\"", "RP1004"},
      {"\"10.0.0/8\"", "RP1004"},
      {"\"shop.com\"", "RP1004"},
      {"\"\"", "RP1004"},
      {"[1]", "RP1003"},
      {"10", "RP1003"},
  };
  for (const Case& each : cases) EXPECT_EQ(decoded<std::vector<IpNetwork>>(each.text), each.result) << each.text;
}

TEST(LogLevelValue, IsOneOfItsWords) {
  for (const char* word : {"\"debug\"", "\"info\"", "\"warn\"", "\"error\"", "\"off\""})
    EXPECT_EQ(decoded<LogLevel>(word), word);
  for (const char* word : {"\"INFO\"", "\"warning\"", "\"\""}) EXPECT_EQ(decoded<LogLevel>(word), "RP1004") << word;
  EXPECT_EQ(decoded<LogLevel>("1"), "RP1003");
}

// https://toml.io/en/v1.0.0#string
TEST(TomlString, ReadsBackAsItWas) {
  std::string every;
  for (int byte = 1; byte < 0x80; ++byte) every += static_cast<char>(byte);
  for (const std::string& text : {std::string(), std::string("a\"b\\c"),
                                  std::string("b\xc3\xbc"
                                              "cher"),
                                  every}) {
    Problems problems;
    std::string written = quote_toml(text);
    for (std::size_t at = 0; (at = written.find('$', at)) != std::string::npos; at += 2) written.insert(at, "$");
    const auto tree = read_text("test.toml", "key = " + written + "\n", variable, problems);
    ASSERT_TRUE(tree.has_value()) << written;
    EXPECT_EQ(tree->find("key")->text, text);
  }
}

}  // namespace
}  // namespace rproxy::config
