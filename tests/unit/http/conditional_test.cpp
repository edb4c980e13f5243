#include "http/conditional.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "http/date.h"

namespace rproxy::http {
namespace {

using Lines = std::vector<std::pair<std::string_view, std::string_view>>;

constexpr std::string_view kBefore = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr std::string_view kModified = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr std::string_view kAfter = "Sun, 06 Nov 1994 08:49:38 GMT";
constexpr std::int64_t kModifiedAt = 784'111'777;
constexpr std::int64_t kNow = 1'700'000'000;

RequestHead request_of(std::string_view method, const Lines& lines) {
  RequestHead head;
  head.method = method;
  head.method_id = method_id(method);
  for (const auto& [name, value] : lines) head.fields.add(name, value);
  return head;
}

TEST(EntityTag, ComparesWeaklyAndStrongly) {
  // RFC 9110 8.8.3.2
  const struct {
    std::string_view a;
    std::string_view b;
    bool strong;
    bool weak;
  } cases[] = {
      {"W/\"1\"", "W/\"1\"", false, true},
      {"W/\"1\"", "W/\"2\"", false, false},
      {"W/\"1\"", "\"1\"", false, true},
      {"\"1\"", "\"1\"", true, true},
      {"\"\"", "\"\"", true, true},
      {"\"a,b\\\"", "\"a,b\\\"", true, true},
      // What is no tag matches nothing.
      {"1", "1", false, false},
      {"", "", false, false},
      {"\"", "\"", false, false},
      {"\"a b\"", "\"a b\"", false, false},
      {"\"a\"b\"", "\"a\"b\"", false, false},
      {"w/\"1\"", "w/\"1\"", false, false},
      {"W/", "W/", false, false},
      {"\"a\x7f\"", "\"a\x7f\"", false, false},
      {"\"\xc3\xa9\"", "\"\xc3\xa9\"", true, true},
  };
  for (const auto& [a, b, strong, weak] : cases) {
    EXPECT_EQ(matches_strongly(a, b), strong) << a << ' ' << b;
    EXPECT_EQ(matches_strongly(b, a), strong) << b << ' ' << a;
    EXPECT_EQ(matches_weakly(a, b), weak) << a << ' ' << b;
    EXPECT_EQ(matches_weakly(b, a), weak) << b << ' ' << a;
  }
}

TEST(Validators, AreOfAnAnswersFields) {
  Fields fields;
  EXPECT_TRUE(validators_of(fields, kNow).etag.empty());
  EXPECT_FALSE(validators_of(fields, kNow).last_modified);
  fields.add("ETag", "\"a\"");
  fields.add("Last-Modified", kModified);
  EXPECT_EQ(validators_of(fields, kNow).etag, "\"a\"");
  EXPECT_EQ(validators_of(fields, kNow).last_modified, kModifiedAt);
  fields.set(FieldId::kLastModified, "yesterday");
  EXPECT_FALSE(validators_of(fields, kNow).last_modified);
}

TEST(Conditional, IsDecidedInTheOrderOfRfc9110) {
  const auto holds = Precondition::kHolds;
  const auto same = Precondition::kNotModified;
  const auto failed = Precondition::kFailed;
  const struct {
    std::string_view method;
    Lines lines;
    Precondition want;
  } cases[] = {
      {"GET", {}, holds},
      // 13.1.2: weakly, any of the list, on any line.
      {"GET", {{"If-None-Match", "\"a\""}}, same},
      {"HEAD", {{"If-None-Match", "W/\"a\""}}, same},
      {"GET", {{"If-None-Match", "\"x\", W/\"y\" , \"a\""}}, same},
      {"GET", {{"If-None-Match", "\"x\""}, {"If-None-Match", "\"a\""}}, same},
      {"GET", {{"If-None-Match", "*"}}, same},
      {"GET", {{"If-None-Match", "\"b\""}}, holds},
      {"GET", {{"If-None-Match", ""}}, holds},
      {"GET", {{"If-None-Match", "a"}}, holds},
      {"PUT", {{"If-None-Match", "*"}}, failed},
      {"PUT", {{"If-None-Match", "\"b\""}}, holds},
      // 13.1.3: ignored beside If-None-Match, by other methods, and where it is no date.
      {"GET", {{"If-Modified-Since", kModified}}, same},
      {"GET", {{"If-Modified-Since", kAfter}}, same},
      {"GET", {{"If-Modified-Since", kBefore}}, holds},
      {"GET", {{"If-Modified-Since", kAfter}, {"If-None-Match", "\"b\""}}, holds},
      {"GET", {{"If-Modified-Since", "soon"}}, holds},
      {"POST", {{"If-Modified-Since", kAfter}}, holds},
      // 13.1.1: strongly.
      {"GET", {{"If-Match", "\"a\""}}, holds},
      {"GET", {{"If-Match", "*"}}, holds},
      {"GET", {{"If-Match", "\"b\", \"a\""}}, holds},
      {"GET", {{"If-Match", "\"b\""}}, failed},
      {"GET", {{"If-Match", "W/\"a\""}}, failed},
      {"PUT", {{"If-Match", "\"b\""}}, failed},
      // 13.1.4: ignored beside If-Match, and where it is no date.
      {"GET", {{"If-Unmodified-Since", kModified}}, holds},
      {"GET", {{"If-Unmodified-Since", kBefore}}, failed},
      {"GET", {{"If-Unmodified-Since", kBefore}, {"If-Match", "\"a\""}}, holds},
      {"GET", {{"If-Unmodified-Since", "soon"}}, holds},
      // 13.2.2: what must be as it was comes first.
      {"GET", {{"If-Match", "\"b\""}, {"If-None-Match", "\"a\""}}, failed},
      {"GET", {{"If-Match", "\"a\""}, {"If-None-Match", "\"a\""}}, same},
  };
  const Validators validators{"\"a\"", kModifiedAt};
  for (const auto& each : cases) {
    EXPECT_EQ(evaluate(request_of(each.method, each.lines), validators, kNow), each.want)
        << each.method << ' ' << (each.lines.empty() ? "" : each.lines[0].first) << ' '
        << (each.lines.empty() ? "" : each.lines[0].second);
  }
}

TEST(Conditional, WithoutValidatorsNothingIsTheSame) {
  const Validators none;
  EXPECT_FALSE(is_not_modified(request_of("GET", {{"If-None-Match", "\"a\""}}), none, kNow));
  EXPECT_FALSE(is_not_modified(request_of("GET", {{"If-None-Match", "\"\""}}), none, kNow));
  EXPECT_FALSE(is_not_modified(request_of("GET", {{"If-Modified-Since", kAfter}}), none, kNow));
  EXPECT_TRUE(is_not_modified(request_of("GET", {{"If-None-Match", "*"}}), none, kNow));
}

TEST(IfRange, HoldsForThisVeryRepresentation) {
  const Validators both{"\"a\"", kModifiedAt};
  const Validators weak{"W/\"a\"", kModifiedAt};
  const struct {
    std::string_view value;
    const Validators& validators;
    std::optional<std::int64_t> date;
    bool want;
  } cases[] = {
      {"\"a\"", both, kModifiedAt, true},
      {"\"b\"", both, kModifiedAt, false},
      // RFC 9110 13.1.5: strongly, and dates are alike to the second.
      {"W/\"a\"", both, kModifiedAt, false},
      {"\"a\"", weak, kModifiedAt, false},
      {"W/\"a\"", weak, kModifiedAt, false},
      {kModified, both, kModifiedAt + 1, true},
      {kAfter, both, kModifiedAt + 60, false},
      {kBefore, both, kModifiedAt + 60, false},
      // RFC 9110 8.8.2.2: a date within the second of the answer is weak.
      {kModified, both, kModifiedAt, false},
      {kModified, both, std::nullopt, false},
      {kModified, Validators{}, kModifiedAt + 60, false},
      {"*", both, kModifiedAt, false},
      {"", both, kModifiedAt, false},
  };
  for (const auto& each : cases) {
    const auto request = request_of("GET", {{"If-Range", each.value}});
    EXPECT_EQ(if_range_holds(request.fields, each.validators, each.date, kNow), each.want) << each.value;
  }
  EXPECT_TRUE(if_range_holds(Fields(), Validators{}, std::nullopt, kNow));
}

TEST(Conditional, WithoutADateOfModificationIfUnmodifiedSinceIsIgnored) {
  // RFC 9110 13.1.4
  const auto request = request_of("GET", {{"If-Unmodified-Since", kBefore}});
  EXPECT_EQ(evaluate(request, Validators{"\"a\"", std::nullopt}, kNow), Precondition::kHolds);
}

TEST(Conditional, ABackslashInATagHidesNothing) {
  // RFC 9110 8.8.3
  for (const std::string_view list : {"\"x\\\", \"a\"", "\"a\", \"x\\\"", "\"x,\\\" ,W/\"a\""}) {
    EXPECT_TRUE(is_not_modified(request_of("GET", {{"If-None-Match", list}}), {"\"a\"", std::nullopt}, kNow)) << list;
  }
}

}  // namespace
}  // namespace rproxy::http
