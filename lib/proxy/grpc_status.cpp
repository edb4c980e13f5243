#include "proxy/grpc_status.h"

#include <memory>
#include <utility>

#include "http/grpc.h"

namespace rproxy::proxy {
namespace {

void note(exchange::Trace& trace, const http::Fields& fields) {
  if (const auto status = http::parse_grpc_status(fields.get(http::FieldId::kGrpcStatus))) trace.grpc_status = *status;
}

class NotedBody final : public exchange::Body {
 public:
  NotedBody(std::unique_ptr<exchange::Body> body, exchange::Trace& trace, const TimeLimit& limit)
      : body_(std::move(body)), trace_(trace), limit_(limit) {}

  net::ValueTask<Result<exchange::Slice>> read() override {
    auto next = body_->read();
    if (!next.is_ready()) return wait(std::move(next).into_task());
    return tell(std::move(next).take());
  }
  http::BodyLength length() const override { return body_->length(); }
  const http::Fields* trailers() const override {
    const http::Fields* trailers = body_->trailers();
    if (trailers != nullptr) note(trace_, *trailers);
    return trailers;
  }

 private:
  net::Task<Result<exchange::Slice>> wait(net::Task<Result<exchange::Slice>> next) {
    auto slice = co_await std::move(next);
    co_return tell(std::move(slice));
  }
  Result<exchange::Slice> tell(Result<exchange::Slice> slice) const {
    if (!slice && slice.error().code == ErrorCode::kRequestTimeout) return fail(limit_.error());
    return slice;
  }

  std::unique_ptr<exchange::Body> body_;
  exchange::Trace& trace_;
  TimeLimit limit_;
};

}  // namespace

void note_grpc_status(exchange::Trace& trace, exchange::Response& response, const TimeLimit& limit) {
  if (!http::grpc_type(response.head.fields)) return;
  if (response.head.fields.has(http::FieldId::kGrpcStatus)) {
    note(trace, response.head.fields);
  } else if (response.body != nullptr) {
    response.body = std::make_unique<NotedBody>(std::move(response.body), trace, limit);
  }
}

}  // namespace rproxy::proxy
