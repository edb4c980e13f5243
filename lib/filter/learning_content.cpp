#include "filter/learning_content.h"

#include <utility>

namespace rproxy::filter {

using exchange::Slice;

net::ValueTask<Result<Slice>> LearningContent::read() {
  auto next = source_->read();
  if (!next.is_ready()) return wait(std::move(next).into_task());
  auto slice = std::move(next).take();
  take(slice);
  return slice;
}

net::Task<Result<Slice>> LearningContent::wait(net::Task<Result<Slice>> next) {
  auto slice = co_await std::move(next);
  take(slice);
  co_return slice;
}

void LearningContent::take(const Result<Slice>& slice) {
  if (!slice || is_too_large_) return;
  is_too_large_ = bytes_.size() + slice->data.size() > lesson_.size_max;
  if (is_too_large_) {
    bytes_ = {};
    return;
  }
  bytes_ += slice->data;
  if (slice->last && !bytes_.empty()) {
    lesson_.dictionaries->learn(lesson_.origin, lesson_.version, lesson_.match, std::move(bytes_));
  }
}

}  // namespace rproxy::filter
