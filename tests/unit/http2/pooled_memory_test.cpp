#include "http2/pooled_memory.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>

namespace rproxy::http2 {
namespace {

constexpr std::size_t kHuge = std::numeric_limits<std::size_t>::max();

// Small, the pool's largest, the heap's, in pages of its own.
constexpr std::size_t kSizes[] = {0, 1, 64, 4080, 5000, 16368, 16424, 200'000};

TEST(PooledMemory, GivesPiecesOfAnySizeAlignedAndWritable) {
  nghttp2_mem& memory = *pooled_memory();
  for (const std::size_t size : kSizes) {
    void* piece = memory.malloc(size, nullptr);
    ASSERT_NE(piece, nullptr) << size;
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(piece) % alignof(std::max_align_t), 0U) << size;
    std::memset(piece, 0xff, size);
    memory.free(piece, nullptr);
    const auto* zeroed = static_cast<char*>(memory.calloc(1, size, nullptr));
    ASSERT_NE(zeroed, nullptr) << size;
    EXPECT_EQ(std::string_view(zeroed, size).find_first_not_of('\0'), std::string_view::npos) << size;
    memory.free(const_cast<char*>(zeroed), nullptr);
  }
  memory.free(nullptr, nullptr);
}

TEST(PooledMemory, KeepsWhatIsInAPieceThatGrowsOrShrinks) {
  nghttp2_mem& memory = *pooled_memory();
  void* piece = memory.realloc(nullptr, 4, nullptr);
  std::memcpy(piece, "text", 4);
  for (const std::size_t size : {std::size_t{100}, std::size_t{5000}, std::size_t{20'000}, std::size_t{4}}) {
    piece = memory.realloc(piece, size, nullptr);
    ASSERT_NE(piece, nullptr) << size;
    EXPECT_EQ(std::string_view(static_cast<char*>(piece), 4), "text") << size;
  }
  memory.free(piece, nullptr);
}

TEST(PooledMemory, SaysWhenThereIsNone) {
  nghttp2_mem& memory = *pooled_memory();
  EXPECT_EQ(memory.malloc(kHuge, nullptr), nullptr);
  EXPECT_EQ(memory.malloc(kHuge / 2, nullptr), nullptr);
  EXPECT_EQ(memory.calloc(kHuge, 2, nullptr), nullptr);
}

}  // namespace
}  // namespace rproxy::http2
