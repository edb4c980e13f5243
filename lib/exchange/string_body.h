// Content that is all there.
#pragma once

#include <string_view>

#include "exchange/body.h"

namespace rproxy::exchange {

// `text` outlives the body: the arena's, or the configuration's.
class StringBody final : public Body {
 public:
  explicit StringBody(std::string_view text) : text_(text) {}

  net::ValueTask<Result<Slice>> read() override { return Result<Slice>(Slice{text_, true}); }
  http::BodyLength length() const override { return {http::BodyLength::Kind::kFixed, text_.size()}; }

 private:
  std::string_view text_;
};

}  // namespace rproxy::exchange
