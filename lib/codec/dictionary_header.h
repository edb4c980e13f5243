// What stands before a stream that was made with a dictionary: which format, and the dictionary's SHA-256 (RFC 9842 4, 5).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>

#include "codec/dictionary.h"
#include "http/content_coding.h"

namespace rproxy::codec {

class DictionaryHeader {
 public:
  DictionaryHeader() = default;
  // Of kDcb or kDcz.
  DictionaryHeader(http::Coding coding, const Dictionary& dictionary) {
    using namespace std::string_view_literals;
    // To a Zstandard decoder that of dcz is a skippable frame.
    const auto magic = coding == http::Coding::kDcb ? "\xff\x44\x43\x42"sv : "\x5e\x2a\x4d\x18\x20\0\0\0"sv;
    size_ = magic.size() + dictionary.sha256().size();
    std::memcpy(bytes_.data(), magic.data(), magic.size());
    std::memcpy(bytes_.data() + magic.size(), dictionary.sha256().data(), dictionary.sha256().size());
  }

  bool is_through() const { return at_ == size_; }

  // Writes what fits; how much that was.
  std::size_t write(std::span<char> out) {
    const std::size_t count = std::min(out.size(), size_ - at_);
    if (count != 0) std::memcpy(out.data(), bytes_.data() + at_, count);
    at_ += count;
    return count;
  }

  // Reads what there is; false where it is another one.
  bool read(std::string_view& in) {
    const std::size_t count = std::min(in.size(), size_ - at_);
    if (count != 0 && std::memcmp(in.data(), bytes_.data() + at_, count) != 0) return false;
    at_ += count;
    in.remove_prefix(count);
    return true;
  }

 private:
  std::array<char, 40> bytes_{};
  std::size_t size_ = 0;
  std::size_t at_ = 0;
};

}  // namespace rproxy::codec
