#include "proxy/mirror.h"

#include <fmt/format.h>

#include <utility>

#include "base/log.h"
#include "exchange/string_body.h"
#include "proxy/detached_request.h"
#include "proxy/retry_rules.h"
#include "proxy/time_limit.h"
#include "proxy/tries.h"

namespace rproxy::proxy {

using exchange::Request;

namespace {

constexpr std::chrono::seconds kTellEvery{10};
constexpr std::uint32_t kAllPercent = 100;

}  // namespace

struct Mirror::Copy {
  explicit Copy(const Request& of) : detached(of) {
    // What it goes as to its own upstream.
    request.client_path = request.head.path;
    request.client_authority = request.head.authority;
  }

  DetachedRequest detached;
  Request& request = detached.request();
  std::string content;
  std::unique_ptr<exchange::Body> body;
};

// Passes the content on as it is read, and keeps it for the copy.
class Mirror::Tee final : public exchange::Body {
 public:
  Tee(exchange::Body& content, std::unique_ptr<Copy> copy, Mirror& mirror)
      : content_(content), copy_(std::move(copy)), mirror_(mirror) {
    ++mirror_.collecting_;
  }
  ~Tee() override {
    --mirror_.collecting_;
    if (copy_ != nullptr) mirror_.leave_out();
  }

  net::ValueTask<Result<exchange::Slice>> read() override {
    auto next = content_.read();
    if (copy_ == nullptr) return next;
    if (next.is_ready()) return keep(std::move(next).take());
    return await(std::move(next).into_task());
  }
  http::BodyLength length() const override { return content_.length(); }
  const http::Fields* trailers() const override { return content_.trailers(); }

 private:
  net::Task<Result<exchange::Slice>> await(net::Task<Result<exchange::Slice>> next) {
    auto slice = co_await std::move(next);
    co_return keep(std::move(slice));
  }

  Result<exchange::Slice> keep(Result<exchange::Slice> slice) {
    if (copy_ == nullptr || !slice) return slice;
    if (copy_->content.size() + slice->data.size() > mirror_.options_.max_body.bytes) {
      copy_.reset();
      mirror_.leave_out();
      return slice;
    }
    copy_->content.append(slice->data);
    if (slice->last) mirror_.send(std::move(copy_));
    return slice;
  }

  exchange::Body& content_;
  std::unique_ptr<Copy> copy_;
  Mirror& mirror_;
};

Mirror::Mirror(const MirrorOptions& options, upstream::Pool& pool, std::uint64_t seed)
    : options_(options), pool_(pool), dice_(seed) {}

Mirror::~Mirror() { tasks_.cancel_all(); }

void Mirror::watch(Request& request) {
  if (request.head.upgrade || request.head.method_id == http::Method::kConnect) return;
  if (dice_.roll() % kAllPercent >= options_.percent) return;
  const auto length = request.body != nullptr ? request.body->length() : http::BodyLength{};
  const bool is_too_long = length.kind == http::BodyLength::Kind::kFixed && length.bytes > options_.max_body.bytes;
  if (is_too_long || tasks_.size() + collecting_ >= options_.max) return leave_out();
  auto made = std::make_unique<Copy>(request);
  if (request.body == nullptr) return send(std::move(made));
  auto tee = std::make_unique<Tee>(*request.body, std::move(made), *this);
  request.body = tee.get();
  request.bodies_in_between.push_back(std::move(tee));
}

void Mirror::send(std::unique_ptr<Copy> copy) {
  if (tasks_.size() >= options_.max) return leave_out();
  Request& request = copy->request;
  request.trace.start = request.loop->now();
  if (!copy->content.empty()) {
    copy->body = std::make_unique<exchange::StringBody>(copy->content);
    request.body = copy->body.get();
  }
  tasks_.spawn(run(std::move(copy)));
}

net::Task<void> Mirror::run(std::unique_ptr<Copy> copy) {
  // The real one goes first.
  co_await net::EndOfTurn(*copy->request.loop);
  // It outlives the tries.
  const TimeLimit limit = TimeLimit::of(copy->request, options_.timeout).value_or(TimeLimit());
  auto admission = pool_.breaker().admit(copy->request.loop->now());
  if (!admission) co_return leave_out();
  // What is real goes first there, too.
  Tries tries(copy->request, pool_, limit, nullptr, 0, upstream::QueuePriority::kLow);
  auto response = co_await tries.run();
  tell_breaker(*admission, response, copy->request.loop->now());
  bool is_whole = response && response->body == nullptr;
  bool is_good = response.has_value();
  while (is_good && !is_whole) {
    auto slice = co_await response->body->read();
    is_good = slice.has_value();
    is_whole = is_good && slice->last;
  }
  ++(is_good ? answered_ : failed_);
  tell(copy->request.loop->now());
}

void Mirror::tell(TimePoint now) {
  if (now - told_ < kTellEvery) return;
  told_ = now;
  const bool is_all = failed_ + left_out_ == 0;
  const std::string text =
      fmt::format("mirror to upstream {}: {} answered, {} failed, {} left out", options_.upstream,
                  std::exchange(answered_, 0), std::exchange(failed_, 0), std::exchange(left_out_, 0));
  is_all ? log::info("{}", text) : log::warn("{}", text);
}

}  // namespace rproxy::proxy
