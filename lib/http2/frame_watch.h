// Looks at the head of each frame as it comes, before nghttp2 acts on it: for what that lets pass silently, and for counting.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rproxy::http2 {

// RFC 9113 4.1.
struct FrameHead {
  std::uint32_t length = 0;
  std::uint8_t type = 0;
  std::uint8_t flags = 0;
  std::int32_t stream = 0;
  // Of PRIORITY and PRIORITY_UPDATE: the stream that the payload begins with. Of others, and where it is too short for that, -1.
  std::int32_t named_stream = -1;
};

class FrameWatch {
 public:
  // `preface`: bytes before the first frame.
  explicit FrameWatch(std::size_t preface) : skip_(preface) {}

  // Goes through the bytes up to where a head is complete, and returns how many that were; all where has_head() is false then.
  std::size_t advance(std::string_view bytes);
  // Valid until the next advance().
  bool has_head() const { return has_head_; }
  // How many of those bytes, their last, are a head's, be it complete or not.
  std::size_t head_bytes() const { return head_bytes_; }
  const FrameHead& head() const { return head_; }
  // The part of the head that came with the bytes of calls before.
  std::string_view begun() const { return {reinterpret_cast<const char*>(collected_), begun_}; }

 private:
  static constexpr std::size_t kHead = 9;
  static constexpr std::size_t kNamed = 4;

  std::size_t wanted() const;
  void read_head();

  std::size_t skip_;  // of a payload, or of the preface
  unsigned char collected_[kHead + kNamed] = {};
  std::size_t size_ = 0;
  std::size_t begun_ = 0;
  std::size_t head_bytes_ = 0;
  FrameHead head_;
  bool has_head_ = false;
};

}  // namespace rproxy::http2
