#include "http/structured.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

namespace rproxy::http::structured {
namespace {

std::string show(const Bare& bare) {
  struct Shown {
    std::string operator()(bool flag) const { return flag ? "?1" : "?0"; }
    std::string operator()(std::int64_t number) const { return std::to_string(number); }
    std::string operator()(double number) const { return fmt::format("{}d", number); }
    std::string operator()(const std::string& text) const { return "\"" + text + "\""; }
    std::string operator()(const Token& token) const { return token.text; }
    std::string operator()(const Bytes& bytes) const { return ":" + bytes.text + ":"; }
    std::string operator()(const Date& date) const { return fmt::format("@{}", date.seconds); }
    std::string operator()(const Display& display) const { return "%\"" + display.text + "\""; }
  };
  return std::visit(Shown(), bare);
}

std::string show(const Parameters& parameters) {
  std::string out;
  for (const auto& [name, value] : parameters) out += ";" + name + "=" + show(value);
  return out;
}

std::string show(const Member& member) {
  std::string out;
  for (const Item& item : member.items) {
    if (!out.empty()) out += ' ';
    out += show(item.value) + show(item.parameters);
  }
  return member.is_list ? "(" + out + ")" + show(member.parameters) : out;
}

std::string list_of(std::string_view text) {
  const auto list = parse_list(text);
  if (!list) return "malformed";
  std::string out;
  for (const Member& member : *list) out += (out.empty() ? "" : " | ") + show(member);
  return out;
}

std::string dictionary_of(std::string_view text) {
  const auto dictionary = parse_dictionary(text);
  if (!dictionary) return "malformed";
  std::string out;
  for (const auto& [name, member] : *dictionary) out += (out.empty() ? "" : " | ") + name + ": " + show(member);
  return out;
}

struct Case {
  std::string_view text;
  std::string_view want;
};

TEST(StructuredList, ReadsEveryType) {
  const Case cases[] = {
      {"", ""},
      {"  ", ""},
      {"a", "a"},
      // 4.2.4: integers have 15 digits, decimals 12 and 3.
      {"0, -0, 007, -42", "0 | 0 | 7 | -42"},
      {"999999999999999, -999999999999999", "999999999999999 | -999999999999999"},
      {"1.5, -0.25, 123456789012.125", "1.5d | -0.25d | 123456789012.125d"},
      // 4.2.5
      {R"("", "a b", "\"q\" \\")", R"("" | "a b" | ""q" \")"},
      // 4.2.6
      {"*, a/b:c, A1!#$%&'*+-.^_`|~", "* | a/b:c | A1!#$%&'*+-.^_`|~"},
      // 4.2.7: padding may be left out.
      {":aGVsbG8=:, :aGVsbG8:, ::", ":hello: | :hello: | ::"},
      {"?1, ?0", "?1 | ?0"},
      {"@1659578233, @-1", "@1659578233 | @-1"},
  };
  for (const auto& [text, want] : cases) EXPECT_EQ(list_of(text), want) << text;
}

TEST(StructuredList, ReadsInnerListsAndParameters) {
  const Case cases[] = {
      {"a;x, b;y=1;z=\"q\"", "a;x=?1 | b;y=1;z=\"q\""},
      {"a; x;  y=2", "a;x=?1;y=2"},
      {"()", "()"},
      {"(a b), (  c  )", "(a b) | (c)"},
      {"(a;p=1 \"b\");q, d", "(a;p=1 \"b\");q=?1 | d"},
      {"a;*k=1;k.-_9=2", "a;*k=1;k.-_9=2"},
      // 4.2.3.2: the last of a name counts, in the first's place.
      {"a;x=1;y;x=2", "a;x=2;y=?1"},
      {"a ,\t b", "a | b"},
      {" a\t", "a"},
  };
  for (const auto& [text, want] : cases) EXPECT_EQ(list_of(text), want) << text;
}

TEST(StructuredList, IsNothingWhereAnyPartIsMalformed) {
  const std::string_view cases[] = {
      ",",
      "a,",
      "a, ",
      ", a",
      "a,,b",
      "a b",
      "\ta",
      "a ;x",
      "a;",
      "a;X",
      "a;x=",
      "a;x= 1",
      "a;=1",
      // Numbers.
      "-",
      "--1",
      "+1",
      "1.",
      ".5",
      "1.2345",
      "1234567890123.1",
      "1234567890123456",
      "1e3",
      // Strings.
      "\"",
      "\"a",
      "\"\\",
      "\"\\n\"",
      "\"\x7f\"",
      "\"\t\"",
      "\"\xc3\xa9\"",
      "'a'",
      // Bytes, booleans, dates.
      ":",
      ":a:",
      ":a=b=:",
      ":****:",
      ":YQ==",
      "?",
      "?2",
      "?true",
      "@",
      "@1.5",
      "@a",
      // Inner lists.
      "(",
      "(a",
      "(a,b)",
      "(a\tb)",
      "(a\"b\")",
      "((a))",
      ")",
      "\xff",
      std::string_view("\0", 1),
  };
  for (const auto text : cases) EXPECT_EQ(list_of(text), "malformed") << text;
}

TEST(StructuredDictionary, ReadsMembersAndFlags) {
  const Case cases[] = {
      {"", ""},
      {"max-age=60, no-store, s=\"x\"", "max-age: 60 | no-store: ?1 | s: \"x\""},
      {"a;p, b;q=2=3", "malformed"},
      {"a;p=1, b=?0;q", "a: ?1;p=1 | b: ?0;q=?1"},
      {"a=(1 2);l, b", "a: (1 2);l=?1 | b: ?1"},
      // 4.2.2: the last of a name counts, in the first's place.
      {"a=1, b=2, a=3", "a: 3 | b: 2"},
      {"a=1, a", "a: ?1"},
      {"A=1", "malformed"},
      {"1=1", "malformed"},
      {"a =1", "malformed"},
      {"a= 1", "malformed"},
      {"a=", "malformed"},
      {"a=1,", "malformed"},
      {"a=1 b=2", "malformed"},
      {"=1", "malformed"},
      {"a==1", "malformed"},
  };
  for (const auto& [text, want] : cases) EXPECT_EQ(dictionary_of(text), want) << text;
}

TEST(StructuredDictionary, IsFoundByWholeKey) {
  const auto dictionary = parse_dictionary("ab=1, a=2");
  ASSERT_TRUE(dictionary);
  ASSERT_NE(find(*dictionary, "a"), nullptr);
  EXPECT_EQ(find(*dictionary, "a")->value(), Bare(std::int64_t{2}));
  EXPECT_EQ(find(*dictionary, "b"), nullptr);
  EXPECT_EQ(find(*dictionary, "A"), nullptr);
}

TEST(Structured, NoPrefixOfAFieldReadsBeyondItsEnd) {
  const std::string whole = R"(a=1.5;p="\"x", b=(1 :YQ==: @5);q=?1, c=*t/u, d=?0)";
  ASSERT_EQ(dictionary_of(whole), R"(a: 1.5d;p=""x" | b: (1 :a: @5);q=?1 | c: *t/u | d: ?0)");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    // A heap copy of exactly that size, for the sanitizers to see its end.
    const std::vector<char> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    (void)parse_dictionary({cut.data(), cut.size()});
    (void)parse_list({cut.data(), cut.size()});
  }
}

TEST(StructuredList, ReadsDisplayStrings) {
  // RFC 9651 4.2.10
  const Case cases[] = {
      {"%\"\"", "%\"\""},
      {"%\"a b\\\";x, c", "%\"a b\\\";x=?1 | c"},
      {"%\"f%c3%bc%22%25\"", "%\"f\xc3\xbc\"%\""},
      {"%", "malformed"},
      {"%a", "malformed"},
      {"%\"", "malformed"},
      {"%\"a", "malformed"},
      {"%\"%\"", "malformed"},
      {"%\"%c\"", "malformed"},
      {"%\"%C3%BC\"", "malformed"},
      {"%\"%c3\"", "malformed"},
      {"%\"%ed%a0%80\"", "malformed"},
      {"%\"%zz\"", "malformed"},
      {"%\"\xc3\xbc\"", "malformed"},
      {"%\"\t\"", "malformed"},
      {"%\"\x7f\"", "malformed"},
  };
  for (const auto& [text, want] : cases) EXPECT_EQ(list_of(text), want) << text;
}

}  // namespace
}  // namespace rproxy::http::structured
