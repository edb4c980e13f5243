#include "server/reload_requests.h"

namespace rproxy::server {

void ReloadRequests::request_reload(std::string why, Done done) {
  if (const auto refusal = enqueue(std::move(why), done)) {
    if (done) done({false, *refusal});
    return;
  }
  wake_();
}

std::optional<std::string> ReloadRequests::enqueue(std::string why, const Done& done) {
  const std::lock_guard lock(mutex_);
  if (refusal_) return refusal_;
  if (!waiting_) waiting_ = Batch{std::move(why), {}};
  if (done) waiting_->waiting.push_back(done);
  return std::nullopt;
}

std::optional<ReloadRequests::Batch> ReloadRequests::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(waiting_, std::nullopt);
}

void ReloadRequests::refuse(const std::string& reason) {
  std::optional<Batch> batch;
  {
    const std::lock_guard lock(mutex_);
    refusal_ = reason;
    batch = std::exchange(waiting_, std::nullopt);
  }
  if (!batch) return;
  for (const Done& done : batch->waiting) done({false, reason});
}

}  // namespace rproxy::server
