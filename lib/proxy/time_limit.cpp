#include "proxy/time_limit.h"

#include <algorithm>

#include "http/grpc.h"
#include "http/grpc_timeout.h"

namespace rproxy::proxy {

using http::FieldId;
using std::chrono::microseconds;

std::optional<TimeLimit> TimeLimit::of(const exchange::Request& request, Duration route) {
  TimeLimit limit;
  limit.start_ = request.trace.start;
  limit.total_ = route;
  limit.is_limited_ = route.count() != 0;
  const http::Fields& fields = request.head.fields;
  const auto* field = fields.find(FieldId::kGrpcTimeout);
  if (field == nullptr || !http::grpc_type(fields)) return limit;
  const auto timeout = http::parse_grpc_timeout(field->value);
  if (!timeout || fields.count(FieldId::kGrpcTimeout) > 1) return std::nullopt;
  limit.is_told_ = true;
  if (limit.is_limited_ && limit.total_ <= *timeout) return limit;
  limit.total_ = *timeout;
  limit.is_limited_ = limit.is_clients_ = true;
  return limit;
}

Duration TimeLimit::left(TimePoint now) const {
  if (!is_limited_) return Duration{0};
  return std::max(std::chrono::ceil<Duration>(end() - now), Duration{1});
}

Error TimeLimit::error() const {
  return Error(ErrorCode::kRequestTimeout, is_clients_ ? Side::kClient : Side::kUpstream);
}

void TimeLimit::tell(exchange::Request& request, TimePoint now) const {
  if (!is_told_) return;
  char* text = request.arena->allocate(http::kGrpcTimeoutSize);
  const auto left = std::chrono::floor<microseconds>(start_ + total_ - now);
  request.head.fields.set(FieldId::kGrpcTimeout, {text, http::write_grpc_timeout(text, left)});
}

}  // namespace rproxy::proxy
