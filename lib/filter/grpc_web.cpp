#include "filter/grpc_web.h"

#include "exchange/error_page.h"
#include "exchange/grpc_answer.h"
#include "filter/grpc_web_content.h"
#include "http/characters.h"

namespace rproxy::filter {

using exchange::Request;
using exchange::Response;
using http::FieldId;
using http::GrpcType;

namespace {

// The form that Accept asks for first, or else the request's own.
GrpcType::Kind wanted_kind(const http::Fields& fields, GrpcType asked) {
  auto kind = GrpcType::Kind::kNone;
  for (const http::Field& field : fields) {
    if (field.id != FieldId::kAccept) continue;
    http::for_each_element(field.value, [&kind](std::string_view element) {
      const GrpcType type = http::grpc_type(element);
      if (type.is_web() && kind == GrpcType::Kind::kNone) kind = type.kind;
      return kind == GrpcType::Kind::kNone;
    });
  }
  return kind != GrpcType::Kind::kNone ? kind : asked.kind;
}

// What a gRPC client would have sent.
std::unique_ptr<Base64Content> translate_request(Request& request, GrpcType asked) {
  http::Fields& fields = request.head.fields;
  fields.set(FieldId::kContentType, http::to_string({GrpcType::Kind::kGrpc, asked.suffix}, *request.arena));
  fields.remove(FieldId::kAccept);
  request.head.accepts_trailers = true;
  if (asked.kind != GrpcType::Kind::kWebText || request.body == nullptr) return nullptr;
  auto content = std::make_unique<Base64Content>(request);
  fields.remove(FieldId::kContentLength);
  return content;
}

void translate_head(http::ResponseHead& head, GrpcType type, Arena& arena) {
  head.fields.set(FieldId::kContentType, http::to_string(type, arena));
  head.fields.remove(FieldId::kContentLength);
  // RFC 9110 6.6.2: there are none any more.
  head.fields.remove(FieldId::kTrailer);
}

// Passes on what is not gRPC's. The upstream may still be reading the request.
class OtherAnswer final : public exchange::Body {
 public:
  OtherAnswer(std::unique_ptr<Base64Content> content, std::unique_ptr<exchange::Body> body)
      : content_(std::move(content)), body_(std::move(body)) {}

  net::ValueTask<Result<exchange::Slice>> read() override { return body_->read(); }
  http::BodyLength length() const override { return body_->length(); }
  const http::Fields* trailers() const override { return body_->trailers(); }

 private:
  std::unique_ptr<Base64Content> content_;
  std::unique_ptr<exchange::Body> body_;
};

Response refuse(Request& request) {
  request.trace.failed = true;
  request.trace.termination = exchange::termination_of(Error(ErrorCode::kBadRequest, Side::kClient));
  Response response =
      exchange::grpc_answer(request, http::GrpcStatus::kInternal, "the request's content is not Base64");
  response.close = true;
  return response;
}

}  // namespace

net::Task<Result<Response>> GrpcWeb::handle(Request& request) {
  const GrpcType asked = http::grpc_type(request.head.fields);
  return asked.is_web() ? translate(request, asked) : next_->handle(request);
}

net::Task<Result<Response>> GrpcWeb::translate(Request& request, GrpcType asked) {
  const auto type = request.head.fields.get(FieldId::kContentType);
  const auto kind = wanted_kind(request.head.fields, asked);
  auto content = translate_request(request, asked);
  auto response = co_await next_->handle(request);
  if (!response) {
    // Whoever answers now answers in the client's terms.
    request.head.fields.set(FieldId::kContentType, type);
    if (content != nullptr && content->is_malformed()) co_return refuse(request);
    co_return response;
  }
  const GrpcType answered = http::grpc_type(response->head.fields);
  const bool is_grpc = answered.kind == GrpcType::Kind::kGrpc;
  if (is_grpc) translate_head(response->head, {kind, answered.suffix}, *request.arena);
  if (response->body == nullptr) co_return response;
  if (is_grpc) {
    const bool is_text = kind == GrpcType::Kind::kWebText;
    response->body = std::make_unique<GrpcWebAnswer>(request, *response, std::move(content), is_text);
  } else {
    response->body = std::make_unique<OtherAnswer>(std::move(content), std::move(response->body));
  }
  co_return response;
}

}  // namespace rproxy::filter
