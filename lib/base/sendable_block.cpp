#include "base/sendable_block.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <vector>

namespace rproxy {

// Files of 1 GiB of address space each, in which only what is written takes memory: a file per block would be too many descriptors.
class SendableBlock::Places {
 public:
  static Places& instance() {
    static auto* const places = new Places;  // blocks may go as late as the process
    return *places;
  }

  std::optional<Place> take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty() && !add_file()) return std::nullopt;
    const Place place = free_.back();
    free_.pop_back();
    return place;
  }

  // Its pages leave the file. One that is still being sent is the socket's alone from then on: the next owner writes to others.
  void give_back(const Place& place) {
    if (::fallocate(place.descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, place.offset, kSize) != 0) return;
    const std::lock_guard lock(mutex_);
    free_.push_back(place);
  }

 private:
  static constexpr std::size_t kBlocksPerFile = 1024;

  bool add_file() {
    constexpr std::size_t size = kBlocksPerFile * kSize;
    const int descriptor = ::memfd_create("rproxy-content", MFD_CLOEXEC);
    if (descriptor < 0) return false;
    void* const memory = ::ftruncate(descriptor, size) == 0
                             ? ::mmap(nullptr, size, PROT_READ, MAP_SHARED | MAP_NORESERVE, descriptor, 0)
                             : MAP_FAILED;
    if (memory == MAP_FAILED) {
      ::close(descriptor);
      return false;
    }
    free_.reserve(free_.size() + kBlocksPerFile);
    for (std::size_t at = size; at != 0; at -= kSize) {
      free_.push_back({static_cast<const char*>(memory) + at - kSize, descriptor, static_cast<off_t>(at - kSize)});
    }
    return true;
  }

  std::mutex mutex_;
  std::vector<Place> free_;
};

std::optional<SendableBlock> SendableBlock::take() {
  const auto place = Places::instance().take();
  if (!place) return std::nullopt;
  return SendableBlock(*place);
}

SendableBlock::~SendableBlock() {
  if (place_.data != nullptr) Places::instance().give_back(place_);
}

bool SendableBlock::write(std::size_t position, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count =
        ::pwrite(place_.descriptor, bytes.data(), bytes.size(), place_.offset + static_cast<off_t>(position));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    position += static_cast<std::size_t>(count);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace rproxy
