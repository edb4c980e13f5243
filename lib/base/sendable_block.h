// Memory that is a file as well: the kernel sends it (sendfile) without a copy, and it can be read in place.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace rproxy {

// Takes memory as it is written, and gives it back when it goes, at once; what is on its way to a peer by then still arrives as it was.
// Any thread takes one and lets it go; in between it is one thread's to write, and anybody's to read where that one has written.
class SendableBlock {
 public:
  static constexpr std::size_t kSize = 1024 * 1024;

  // Nothing: the system has no more of it.
  static std::optional<SendableBlock> take();

  SendableBlock(SendableBlock&& other) noexcept : place_(std::exchange(other.place_, {})) {}
  SendableBlock& operator=(SendableBlock&& other) noexcept {
    std::swap(place_, other.place_);
    return *this;
  }
  ~SendableBlock();

  // Within kSize. False: there is no memory for it.
  [[nodiscard]] bool write(std::size_t position, std::string_view bytes);

  const char* data() const { return place_.data; }
  // The same bytes; the descriptor stays open as long as the process.
  int descriptor() const { return place_.descriptor; }
  off_t offset() const { return place_.offset; }

 private:
  struct Place {
    const char* data = nullptr;
    int descriptor = -1;
    off_t offset = 0;
  };
  class Places;

  explicit SendableBlock(Place place) : place_(place) {}

  Place place_;
};

}  // namespace rproxy
