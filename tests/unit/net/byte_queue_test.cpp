#include "net/byte_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

namespace rproxy::net {
namespace {

TEST(ByteQueue, GivesBackWhatWasPutInWhateverTheSizes) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    BufferPool pool(sizeof(void*) + random() % 40);  // which threads its list through them
    ByteQueue queue(pool);
    std::string model;
    char next = 0;
    for (int step = 0; step < 300; ++step) {
      if (random() % 2 == 0) {
        std::string more(random() % 100, '\0');
        for (char& byte : more) byte = next++;
        queue.append(more);
        model += more;
      } else if (!model.empty()) {
        const auto front = queue.front();
        ASSERT_FALSE(front.empty());
        ASSERT_EQ(front, std::string_view(model).substr(0, front.size()));
        const std::size_t used = random() % 3 == 0 ? front.size() : random() % (front.size() + 1);
        queue.consume(used);
        model.erase(0, used);
      }
      if (random() % 100 == 0) {
        queue.clear();
        model.clear();
      }
      ASSERT_EQ(queue.size(), model.size());
      ASSERT_EQ(queue.empty(), model.empty());
      ASSERT_EQ(queue.front().empty(), model.empty());
    }
  }
}

// Whoever reads the front meanwhile has a view of it.
TEST(ByteQueue, LeavesItsFrontInPlaceWhileMoreComes) {
  BufferPool pool(16);
  ByteQueue queue(pool);
  queue.append("the front");
  const auto front = queue.front();
  for (int i = 0; i < 100; ++i) queue.append("more of it");
  EXPECT_EQ(front, "the front");
  EXPECT_EQ(queue.front().data(), front.data());
}

}  // namespace
}  // namespace rproxy::net
