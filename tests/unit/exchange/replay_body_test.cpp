#include "exchange/replay_body.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>

namespace rproxy::exchange {
namespace {

// Gives its pieces at once; asked once more than there are, it fails.
class Pieces final : public Body {
 public:
  explicit Pieces(std::deque<std::string> pieces, bool is_whole = true)
      : pieces_(std::move(pieces)), is_whole_(is_whole) {}

  net::ValueTask<Result<Slice>> read() override {
    if (pieces_.empty()) return Result<Slice>(fail(ErrorCode::kReset, Side::kClient));
    given_ = std::move(pieces_.front());
    pieces_.pop_front();
    return Result<Slice>(Slice{given_, is_whole_ && pieces_.empty()});
  }
  http::BodyLength length() const override { return {}; }

 private:
  std::deque<std::string> pieces_;
  std::string given_;
  bool is_whole_;
};

net::Task<void> read_into(Body& body, std::size_t most, std::string& text, bool& ended) {
  for (std::size_t i = 0; i < most && !ended; ++i) {
    auto slice = co_await body.read();
    if (!slice) co_return void(text += "!");
    text += slice->data;
    ended = slice->last;
  }
}

// At most so many slices; "$" at the end, "!" where it fails.
std::string read(Body& body, std::size_t most = 100) {
  std::string text;
  bool ended = false;
  const net::Child<void> reading(read_into(body, most, text, ended));
  EXPECT_TRUE(reading.is_done());
  return ended ? text + "$" : text;
}

TEST(ReplayBody, GivesAgainWhatWasReadFromWhereverItStops) {
  for (std::size_t first = 0; first <= 3; ++first) {
    SCOPED_TRACE(first);
    Pieces pieces({"one ", "two ", "three"});
    ReplayBody body(pieces, 100);
    read(body, first);
    ASSERT_TRUE(body.can_rewind());
    body.rewind();
    EXPECT_EQ(read(body), "one two three$");
  }
}

TEST(ReplayBody, GivesNoContentAgain) {
  Pieces pieces({""});
  ReplayBody body(pieces, 100);
  EXPECT_EQ(read(body), "$");
  body.rewind();
  EXPECT_EQ(read(body), "$");
}

TEST(ReplayBody, GivesAllOfItOnceWhereItIsTooMuchToKeep) {
  Pieces pieces({"12345", "67890", "abc"});
  ReplayBody body(pieces, 9);
  EXPECT_EQ(read(body, 1), "12345");
  EXPECT_TRUE(body.can_rewind());
  EXPECT_EQ(read(body, 1), "67890");
  EXPECT_FALSE(body.can_rewind());
  EXPECT_EQ(read(body), "abc$");
}

TEST(ReplayBody, GoesOnWhenSettledInTheMidstOfGivingAgain) {
  Pieces pieces({"one ", "two ", "three"});
  ReplayBody body(pieces, 100);
  read(body, 2);
  body.rewind();
  body.settle();
  EXPECT_FALSE(body.can_rewind());
  EXPECT_EQ(read(body), "one two three$");
}

TEST(ReplayBody, IsNotWholeAgainWhatWasNot) {
  Pieces pieces({"one "}, false);
  ReplayBody body(pieces, 100);
  EXPECT_EQ(read(body), "one !");
  EXPECT_FALSE(body.can_rewind());
}

}  // namespace
}  // namespace rproxy::exchange
