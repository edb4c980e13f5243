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
  auto next = content_.read();
  if (next.is_ready()) return keep(std::move(next).take());
  return await(std::move(next).into_task());
}

net::Task<Result<Slice>> ReplayBody::await(net::Task<Result<Slice>> next) {
  auto slice = co_await std::move(next);
  co_return keep(std::move(slice));
}

Result<Slice> ReplayBody::keep(Result<Slice> slice) {
  // It may have been settled meanwhile.
  if (!keeps_) return slice;
  keeps_ = slice.has_value() && kept_.size() + slice->data.size() <= most_;
  if (!keeps_) return slice;
  kept_.append(slice->data);
  next_ = kept_.size();
  ended_ = slice->last;
  return slice;
}

}  // namespace rproxy::exchange
