#include "exchange/replay_body.h"

#include <utility>

namespace rproxy::exchange {

net::ValueTask<Result<Slice>> ReplayBody::read() {
  if (next_ < kept_.size()) {
    const std::string_view rest = std::string_view(kept_).substr(std::exchange(next_, kept_.size()));
    return Result<Slice>(Slice{rest, ended_});
  }
  if (ended_) return Result<Slice>(Slice{{}, true});
  if (!keeps_) return content_.read();
  return read_on();
}

net::Task<Result<Slice>> ReplayBody::read_on() {
  auto slice = co_await content_.read();
  if (slice) {
    keep(*slice);
  } else {
    keeps_ = false;
  }
  co_return slice;
}

void ReplayBody::keep(const Slice& slice) {
  // It may have been settled meanwhile.
  if (!keeps_) return;
  if (kept_.size() + slice.data.size() > most_) return settle();
  kept_.append(slice.data);
  next_ = kept_.size();
  ended_ = slice.last;
}

}  // namespace rproxy::exchange
