// Which coding an answer gets, and which ones a content has.
#include "http/content_coding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rproxy::http {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Fields lines_of(FieldId id, const std::vector<std::string>& values) {
  Fields fields;
  for (const std::string& value : values) fields.add(id, value);
  return fields;
}

std::string chosen(const std::vector<std::string>& lines, std::span<const Coding> offer) {
  const auto fields = lines_of(FieldId::kAcceptEncoding, lines);
  const auto choice = choose_coding(AcceptedCodings::of(fields), offer);
  if (!choice.is_acceptable) return choice.coding ? "both" : "nothing";
  return std::string(to_string(choice.coding.value_or(Coding::kIdentity)));
}

TEST(Coding, HasItsRegisteredName) {
  for (std::size_t i = 0; i < kCodingCount; ++i) {
    const auto coding = static_cast<Coding>(i);
    EXPECT_EQ(coding_of(to_string(coding)), coding);
  }
  EXPECT_EQ(coding_of("GZip"), Coding::kGzip);
  EXPECT_EQ(coding_of("x-gzip"), Coding::kGzip);
  EXPECT_EQ(coding_of("BR"), Coding::kBrotli);
  EXPECT_EQ(coding_of("brotli"), std::nullopt);
  EXPECT_EQ(coding_of("compress"), std::nullopt);
  EXPECT_EQ(coding_of(""), std::nullopt);
  EXPECT_EQ(coding_of("*"), std::nullopt);
}

TEST(ChooseCoding, GoesByQualityThenByTheOffersOrder) {
  static constexpr Coding kOffer[] = {Coding::kZstd, Coding::kBrotli, Coding::kGzip};
  struct Case {
    std::vector<std::string> lines;
    std::string expected;
  };
  const Case cases[] = {
      {{}, "identity"},
      {{""}, "identity"},
      {{" , ,"}, "identity"},
      {{"gzip"}, "gzip"},
      {{"x-gzip"}, "gzip"},
      {{"GZIP"}, "gzip"},
      {{"gzip, deflate, br, zstd"}, "zstd"},
      {{"gzip, deflate, br"}, "br"},
      {{"gzip", "br"}, "br"},
      {{"gzip;q=1.0, br;q=0.9"}, "gzip"},
      {{"gzip;q=0.8,br;q=0.81"}, "br"},
      {{"gzip ; q=0.8 , br;Q=0.801"}, "br"},
      {{"gzip;q=0.001"}, "gzip"},
      {{"gzip;q=0"}, "identity"},
      {{"gzip;q=0.000"}, "identity"},
      {{"gzip;q=0., br;q=1."}, "br"},
      {{"deflate"}, "identity"},
      {{"compress, sdch"}, "identity"},
      // The wildcard is for what has no name here.
      {{"*"}, "zstd"},
      {{"zstd;q=0, *"}, "br"},
      {{"*;q=0.5, gzip"}, "gzip"},
      {{"gzip;q=0.2, *;q=0.5"}, "zstd"},
      {{"gzip;q=0.2, zstd;q=0, br;q=0, *;q=0.5"}, "identity"},
      {{"*;q=0"}, "nothing"},
      {{"*;q=0, gzip"}, "gzip"},
      {{"*;q=0, identity"}, "identity"},
      {{"*;q=0, identity;q=0.1, br;q=0.1"}, "br"},
      {{"deflate, *;q=0"}, "nothing"},
      // Identity is last unless it is weighed.
      {{"identity"}, "identity"},
      {{"identity, gzip"}, "gzip"},
      {{"identity;q=0.5, gzip;q=0.4"}, "identity"},
      {{"identity;q=0.5, gzip;q=0.5"}, "gzip"},
      {{"identity;q=0"}, "nothing"},
      {{"identity;q=0, compress"}, "nothing"},
      {{"identity;q=0, br"}, "br"},
      {{"identity;q=0, br;q=0"}, "nothing"},
      {{"identity;q=0, *"}, "zstd"},
      // Malformed members are not there.
      {{"gzip;q=2"}, "identity"},
      {{"gzip;q=1.001"}, "identity"},
      {{"gzip;q=-1, br"}, "br"},
      {{"zstd;q=, br;q=0.5"}, "br"},
      {{"zstd;q=0.1234, br;q=0.5"}, "br"},
      {{"zstd;q=0,5"}, "identity"},
      {{"zstd;q=abc, gzip"}, "gzip"},
      {{"zstd;level=3, gzip"}, "gzip"},
      {{"zstd;q=1;x=2, gzip"}, "gzip"},
      {{"zs td, gzip"}, "gzip"},
      {{";q=1, gzip"}, "gzip"},
      {{"\"zstd\", gzip"}, "gzip"},
      {{"*;q=x, gzip"}, "gzip"},
      {{"identity;q=none"}, "identity"},
      // Of two the lower counts.
      {{"br, gzip", "br;q=0"}, "gzip"},
      {{"br;q=0, br"}, "identity"},
      {{"*", "*;q=0"}, "nothing"},
      // Nobody has a dictionary without saying so.
      {{"dcz, dcb"}, "identity"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(chosen(c.lines, kOffer), c.expected) << testing::PrintToString(c.lines);
  }
}

TEST(ChooseCoding, ChoosesOfTheOfferAlone) {
  static constexpr Coding kDictionaries[] = {Coding::kDcz, Coding::kIdentity, Coding::kGzip};
  EXPECT_EQ(chosen({"gzip, br, zstd, dcb, dcz"}, kDictionaries), "dcz");
  EXPECT_EQ(chosen({"*"}, kDictionaries), "gzip");
  EXPECT_EQ(chosen({"dcz;q=0.5, gzip"}, kDictionaries), "gzip");
  EXPECT_EQ(chosen({"br"}, kDictionaries), "identity");
  EXPECT_EQ(chosen({"gzip"}, {}), "identity");
  EXPECT_EQ(chosen({"gzip, identity;q=0"}, {}), "nothing");
  static constexpr Coding kGzipFirst[] = {Coding::kGzip, Coding::kZstd};
  EXPECT_EQ(chosen({"zstd, gzip"}, kGzipFirst), "gzip");
}

TEST(AcceptedCodings, TellsWhatWasSaidOfIdentity) {
  const auto accepted = [](const std::string& value) {
    return AcceptedCodings::of(lines_of(FieldId::kAcceptEncoding, {value}));
  };
  EXPECT_FALSE(accepted("gzip;q=0.5").weighs_identity());
  EXPECT_EQ(accepted("gzip;q=0.5").quality(Coding::kGzip), 500);
  EXPECT_EQ(accepted("gzip;q=0.5").quality(Coding::kBrotli), 0);
  EXPECT_TRUE(accepted("*;q=0").weighs_identity());
  EXPECT_TRUE(accepted("identity;q=0.25").weighs_identity());
  EXPECT_EQ(accepted("identity;q=0.25").quality(Coding::kIdentity), 250);
}

TEST(AppliedCodings, AreReadInTheirOrder) {
  const auto applied = [](const std::vector<std::string>& lines) {
    return AppliedCodings::of(lines_of(FieldId::kContentEncoding, lines));
  };
  EXPECT_TRUE(applied({}).is_identity());
  EXPECT_TRUE(applied({""}).is_identity());
  EXPECT_TRUE(applied({"identity"}).is_identity());
  EXPECT_TRUE(applied({"Identity, identity"}).is_identity());
  const auto two = applied({"gzip, br"});
  EXPECT_THAT(two.list(), ElementsAre(Coding::kGzip, Coding::kBrotli));
  EXPECT_FALSE(two.is_identity());
  const auto lines = applied({"x-gzip", "identity", "ZSTD"});
  EXPECT_THAT(lines.list(), ElementsAre(Coding::kGzip, Coding::kZstd));
  for (const std::vector<std::string>& unknown : std::vector<std::vector<std::string>>{{"compress"},
                                                                                       {"gzip, compress"},
                                                                                       {"compress", "gzip"},
                                                                                       {"gzip;q=1"},
                                                                                       {"gz ip"},
                                                                                       {"gzip, gzip, gzip, gzip"}}) {
    const auto read = applied(unknown);
    EXPECT_FALSE(read.is_understood()) << testing::PrintToString(unknown);
    EXPECT_FALSE(read.is_identity());
    EXPECT_THAT(read.list(), IsEmpty());
  }
  EXPECT_TRUE(applied({"gzip, gzip, gzip"}).is_understood());
}

}  // namespace
}  // namespace rproxy::http
