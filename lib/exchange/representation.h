// What a client is given of content that is there: parts of it, or word that it has it already. One place for whatever holds some.
#pragma once

#include <cstdint>
#include <optional>

#include "exchange/exchange.h"
#include "exchange/multipart_body.h"
#include "http/conditional.h"
#include "http/range.h"

namespace rproxy::exchange {

struct Representation {
  const http::Fields& fields;  // of an answer with the whole; they outlive what is made of them
  std::uint64_t size;
  http::Validators validators;
  std::optional<std::int64_t> date;  // when such an answer was made, seconds
  PartMaker make;
};

// 304, with those of the whole's fields that belong to it. The texts go into the arena.
Response not_modified(Request& request, const http::Fields& fields);

// 206 with that one range of content of `size` bytes.
Response one_range(Request& request, const http::Fields& fields, const http::ByteRange& range, std::uint64_t size,
                   const PartMaker& make);

// 206 or 416, as Range and If-Range ask (RFC 9110 14.2); nothing where all is to be sent.
std::optional<Response> answer_range(Request& request, const Representation& of, std::int64_t now);

}  // namespace rproxy::exchange
