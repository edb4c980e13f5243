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
  NotedBody(std::unique_ptr<exchange::Body> body, exchange::Trace& trace) : body_(std::move(body)), trace_(trace) {}

  net::ValueTask<Result<exchange::Slice>> read() override { return body_->read(); }
  http::BodyLength length() const override { return body_->length(); }
  const http::Fields* trailers() const override {
    const http::Fields* trailers = body_->trailers();
    if (trailers != nullptr) note(trace_, *trailers);
    return trailers;
  }

 private:
  std::unique_ptr<exchange::Body> body_;
  exchange::Trace& trace_;
};

}  // namespace

void note_grpc_status(exchange::Trace& trace, exchange::Response& response) {
  if (!http::grpc_type(response.head.fields)) return;
  if (response.head.fields.has(http::FieldId::kGrpcStatus)) {
    note(trace, response.head.fields);
  } else if (response.body != nullptr) {
    response.body = std::make_unique<NotedBody>(std::move(response.body), trace);
  }
}

}  // namespace rproxy::proxy
