#include "http/range.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

namespace rproxy::http {
namespace {

std::string show(const RequestedRanges& found) {
  switch (found.kind) {
    case RequestedRanges::Kind::kIgnored:
      return "ignored";
    case RequestedRanges::Kind::kUnsatisfiable:
      return "unsatisfiable";
    case RequestedRanges::Kind::kSatisfiable:
      break;
  }
  std::string out;
  for (const ByteRange& range : found.ranges)
    out += fmt::format("{}{}-{}", out.empty() ? "" : " ", range.first, range.last);
  return out;
}

struct Case {
  std::string_view value;
  std::uint64_t size;
  std::string_view want;
};

TEST(Range, IsReadWithinTheRepresentation) {
  const Case cases[] = {
      // RFC 9110 14.1.2
      {"bytes=0-499", 1000, "0-499"},
      {"bytes=0-0", 1000, "0-0"},
      {"bytes=999-", 1000, "999-999"},
      {"bytes=500-", 1000, "500-999"},
      {"bytes=500-5000", 1000, "500-999"},
      {"bytes=-1", 1000, "999-999"},
      {"bytes=-5000", 1000, "0-999"},
      {"bytes=0-0,-1", 1000, "0-0 999-999"},
      // The client's order is kept.
      {"bytes=500-600, 0-99", 1000, "500-600 0-99"},
      {"bytes=0-0,2000-", 1000, "0-0"},
      {"BYTES=0-1", 10, "0-1"},
      {"bytes=,0-1,,2-3,", 10, "0-1 2-3"},
      {"bytes= 0-1 , 2-3", 10, "0-1 2-3"},
      {"bytes=0-99999999999999999999999", 10, "0-9"},
      {"bytes=-99999999999999999999999", 10, "0-9"},
      {"bytes=1000-", 1000, "unsatisfiable"},
      {"bytes=99999999999999999999999-", 10, "unsatisfiable"},
      {"bytes=-0", 1000, "unsatisfiable"},
      {"bytes=10-11,20-", 10, "unsatisfiable"},
      {"bytes=0-", 0, "unsatisfiable"},
  };
  for (const auto& [value, size, want] : cases) EXPECT_EQ(show(read_ranges(value, size, 4)), want) << value;
}

TEST(Range, IsIgnoredWhereItIsNoneOfOurs) {
  const Case cases[] = {
      {"", 10, "ignored"},
      {"bytes", 10, "ignored"},
      {"bytes=", 10, "ignored"},
      {"bytes=,", 10, "ignored"},
      {"items=0-1", 10, "ignored"},
      {"0-1", 10, "ignored"},
      {"bytes=-", 10, "ignored"},
      {"bytes=--1", 10, "ignored"},
      {"bytes=5-3", 10, "ignored"},
      {"bytes=a-b", 10, "ignored"},
      {"bytes=0x1-2", 10, "ignored"},
      {"bytes=+1-2", 10, "ignored"},
      {"bytes=0-1-2", 10, "ignored"},
      {"bytes=1", 10, "ignored"},
      // One that is malformed makes the whole so.
      {"bytes=0-1,x", 10, "ignored"},
      {"bytes=0-1,5-3", 10, "ignored"},
      {"bytes=0-1,\"2-3\"", 10, "ignored"},
      // RFC 9110 14.2: no more than the whole, nor more than `most`.
      {"bytes=0-,0-", 10, "ignored"},
      {"bytes=0-5,4-9", 10, "ignored"},
      {"bytes=0-0,1-1,2-2,3-3,4-4", 10, "ignored"},
      {"bytes=90-,91-,92-,93-,94-", 10, "ignored"},
  };
  for (const auto& [value, size, want] : cases) EXPECT_EQ(show(read_ranges(value, size, 4)), want) << value;
}

TEST(Range, IsReadAloneAsItWasWritten) {
  const struct {
    std::string_view value;
    std::string_view want;
  } cases[] = {
      {"bytes=0-499", "0-499"},
      {"bytes=5-", "5-"},
      {"bytes=-5", "-5"},
      {"Bytes= 1-2 ", "1-2"},
      {"bytes=0-1,2-3", "no"},
      {"bytes=0-1,", "no"},
      {"bytes=", "no"},
      {"bytes=2-1", "no"},
      {"lines=0-1", "no"},
      {"bytes=-0", "-0"},
      {"bytes=1-2147483648000000000000000", "1-4611686018427387904"},
  };
  for (const auto& [value, want] : cases) {
    const auto spec = read_single_range(value);
    const auto text = [](const std::optional<std::uint64_t>& part) { return part ? std::to_string(*part) : ""; };
    EXPECT_EQ(spec ? text(spec->first) + "-" + text(spec->last) : "no", want) << value;
  }
}

TEST(ContentRange, IsReadAndWritten) {
  const struct {
    std::string_view value;
    std::string_view want;
  } cases[] = {
      // RFC 9110 14.4
      {"bytes 42-1233/1234", "42-1233/1234"},
      {"bytes 42-1233/*", "42-1233/*"},
      {"Bytes 0-0/1", "0-0/1"},
      {"bytes  0-4/5", "0-4/5"},
      {"bytes */1234", "no"},
      {"bytes 0-4/4", "no"},
      {"bytes 4-3/10", "no"},
      {"bytes 0-4", "no"},
      {"bytes 0-4/", "no"},
      {"bytes -4/10", "no"},
      {"bytes 0-/10", "no"},
      {"bytes 0 - 4/10", "no"},
      {"bytes 0-4/x", "no"},
      {"bytes=0-4/10", "no"},
      {"items 0-4/10", "no"},
      {"bytes 0-18446744073709551616/*", "no"},
      {"bytes +0-4/10", "no"},
      {"", "no"},
  };
  for (const auto& [value, want] : cases) {
    const auto range = parse_content_range(value);
    EXPECT_EQ(range ? fmt::format("{}-{}/{}", range->range.first, range->range.last,
                                  range->size ? std::to_string(*range->size) : "*")
                    : "no",
              want)
        << value;
  }
  Arena arena;
  EXPECT_EQ(content_range_text({0, 4}, 10, arena), "bytes 0-4/10");
  EXPECT_EQ(unsatisfied_range_text(10, arena), "bytes */10");
  EXPECT_EQ((ByteRange{3, 3}.size()), 1U);
}

}  // namespace
}  // namespace rproxy::http
