#include "exchange/grpc_answer.h"

#include <fmt/format.h>

namespace rproxy::exchange {

using http::FieldId;

Response grpc_answer(Request& request, http::GrpcStatus status, std::string_view message) {
  const auto type = http::grpc_type(request.head.fields);
  const auto code = static_cast<std::uint16_t>(status);
  request.trace.grpc_status = code;
  Arena& arena = *request.arena;
  Response response;
  http::Fields& fields = response.head.fields;
  fields.add(FieldId::kContentType, type.is_web() ? http::to_string(type, arena) : "application/grpc");
  fields.add(FieldId::kGrpcStatus, arena.copy(fmt::format_int(code).c_str()));
  fields.add(FieldId::kGrpcMessage, http::encode_grpc_message(message, arena));
  return response;
}

}  // namespace rproxy::exchange
