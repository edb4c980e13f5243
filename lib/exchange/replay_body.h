// A request's content that can be read again from its beginning, as long as not much of it has been read: for another attempt.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "exchange/body.h"

namespace rproxy::exchange {

class ReplayBody final : public Body {
 public:
  // `content` outlives the body. More than `most` bytes are not kept.
  ReplayBody(Body& content, std::size_t most) : content_(content), most_(most) {}

  net::ValueTask<Result<Slice>> read() override;
  http::BodyLength length() const override { return content_.length(); }
  const http::Fields* trailers() const override { return content_.trailers(); }

  bool can_rewind() const { return keeps_; }
  // All of it has been read, and can be again.
  bool is_whole() const { return keeps_ && ended_; }
  // Where it is whole.
  std::string_view text() const { return kept_; }
  // The next read() gives the first slice again. No read is under way.
  void rewind() { next_ = 0; }
  // There will be no other attempt.
  void settle() { keeps_ = false; }

 private:
  net::Task<Result<Slice>> await(net::Task<Result<Slice>> next);
  // What the content itself gave next, noted down.
  Result<Slice> keep(Result<Slice> slice);

  Body& content_;
  std::size_t most_;
  std::string kept_;      // stays in place while it is given
  std::size_t next_ = 0;  // of kept_, to be given again
  bool keeps_ = true;
  bool ended_ = false;
};

}  // namespace rproxy::exchange
