// What a call of the admin endpoint comes to, before it is HTTP.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exchange/exchange.h"

namespace rproxy::admin {

using Json = nlohmann::ordered_json;

struct Answer {
  std::uint16_t status = 200;
  std::string_view type = "application/json";
  std::string text;
  std::vector<std::pair<std::string_view, std::string>> fields;  // names live for ever
};

Answer json_answer(const Json& json, std::uint16_t status = 200);
// RFC 9457: why a call did not do what it should.
Answer problem(std::uint16_t status, const std::string& detail);

// The answer's fields are copied into the request's arena.
exchange::Response to_response(const exchange::Request& request, Answer answer);

}  // namespace rproxy::admin
