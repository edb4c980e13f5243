// The configuration's JSON Schema (2020-12), for editors and for other tools: made of the one definition that each key has.
#pragma once

#include <string>

namespace rproxy::check {

std::string json_schema();

}  // namespace rproxy::check
