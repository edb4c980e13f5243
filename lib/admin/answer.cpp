#include "admin/answer.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "exchange/body.h"

namespace rproxy::admin {
namespace {

const char* title_of(std::uint16_t status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 422:
      return "Unprocessable Content";
    case 503:
      return "Service Unavailable";
    default:
      return "Error";
  }
}

// /metrics may be long, and an arena keeps what it once had.
class TextBody final : public exchange::Body {
 public:
  explicit TextBody(std::string text) : text_(std::move(text)) {}

  net::ValueTask<Result<exchange::Slice>> read() override {
    return Result<exchange::Slice>(exchange::Slice{text_, true});
  }
  http::BodyLength length() const override { return {http::BodyLength::Kind::kFixed, text_.size()}; }

 private:
  std::string text_;
};

// What is not UTF-8, in a path or a message of the system, is no reason to say nothing.
std::string dump(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

}  // namespace

Answer json_answer(const Json& json, std::uint16_t status) {
  Answer answer;
  answer.status = status;
  answer.text = dump(json);
  return answer;
}

Answer problem(std::uint16_t status, const std::string& detail) {
  Answer answer;
  answer.status = status;
  answer.type = "application/problem+json";
  answer.text = dump({{"title", title_of(status)}, {"status", status}, {"detail", detail}});
  return answer;
}

exchange::Response to_response(const exchange::Request& request, Answer answer) {
  exchange::Response response;
  response.head.status = answer.status;
  auto& fields = response.head.fields;
  if (answer.status != 204) {
    fields.add(http::FieldId::kContentType, answer.type);
    response.body = std::make_unique<TextBody>(std::move(answer.text));
  }
  fields.add(http::FieldId::kCacheControl, "no-store");
  fields.add("X-Content-Type-Options", "nosniff");
  for (const auto& [name, value] : answer.fields) fields.add(name, request.arena->copy(value));
  return response;
}

}  // namespace rproxy::admin
