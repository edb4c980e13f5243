#include "proxy/watched_content.h"

#include <memory>
#include <utility>

#include "proxy/retry_rules.h"

namespace rproxy::proxy {
namespace {

class WatchedContent final : public exchange::Body {
 public:
  WatchedContent(std::unique_ptr<exchange::Body> body, const net::Loop& loop, std::string_view upstream,
                 balance::EndpointState& state)
      : body_(std::move(body)), loop_(loop), upstream_(upstream), state_(state) {}

  net::ValueTask<Result<exchange::Slice>> read() override {
    auto next = body_->read();
    if (!next.is_ready()) return wait(std::move(next).into_task());
    auto slice = std::move(next).take();
    look_at(slice);
    return slice;
  }
  http::BodyLength length() const override { return body_->length(); }
  const http::Fields* trailers() const override { return body_->trailers(); }

 private:
  net::Task<Result<exchange::Slice>> wait(net::Task<Result<exchange::Slice>> next) {
    auto slice = co_await std::move(next);
    look_at(slice);
    co_return slice;
  }

  void look_at(const Result<exchange::Slice>& slice) const {
    if (slice) {
      if (slice->last) state_.record_whole();
    } else if (is_cut_by_endpoint(slice.error())) {
      record_cut();
    }
  }

  void record_cut() const {
    const TimePoint now = loop_.now();
    if (state_.record_cut(now) != balance::Change::kEjected) return;
    upstream::log_ejection(upstream_, state_, "it cuts its answers short", now);
  }

  const std::unique_ptr<exchange::Body> body_;
  const net::Loop& loop_;
  const std::string_view upstream_;
  balance::EndpointState& state_;
};

bool is_empty(http::BodyLength length) {
  using Kind = http::BodyLength::Kind;
  return length.kind == Kind::kNone || (length.kind == Kind::kFixed && length.bytes == 0);
}

}  // namespace

void watch_content(const exchange::Request& request, exchange::Response& response, std::string_view upstream,
                   upstream::Endpoint& endpoint) {
  if (response.body == nullptr || is_empty(response.body->length())) return;
  response.body = std::make_unique<WatchedContent>(std::move(response.body), *request.loop, upstream, endpoint.state);
}

}  // namespace rproxy::proxy
