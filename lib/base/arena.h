// A bump allocator for the strings one exchange makes. Nothing is freed singly; reset() keeps the first block for the next use.
#pragma once

#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <string_view>

namespace rproxy {

class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena() { drop(blocks_); }

  // Uninitialised, unaligned bytes, valid until reset().
  char* allocate(std::size_t size) {
    if (static_cast<std::size_t>(end_ - next_) < size) grow(size);
    char* out = next_;
    next_ += size;
    return out;
  }

  std::string_view copy(std::string_view text) {
    if (text.empty()) return {};
    char* out = allocate(text.size());
    std::memcpy(out, text.data(), text.size());
    return {out, text.size()};
  }

  std::string_view concat(std::initializer_list<std::string_view> parts);

  void reset();

 private:
  struct Block {
    Block* older;
    std::size_t size;
    char* data() { return reinterpret_cast<char*>(this + 1); }
  };
  static constexpr std::size_t kBlockSize = 2048;  // forwarding fields and a rewritten path fit without growing

  void grow(std::size_t size);
  static void drop(Block* block);

  Block* blocks_ = nullptr;
  char* next_ = nullptr;
  char* end_ = nullptr;
};

}  // namespace rproxy
