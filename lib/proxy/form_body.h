// A coded form of a cached content while it is being made.
#pragma once

#include <cstdint>
#include <memory>

#include "cache/coded_forms.h"
#include "cache/entry.h"
#include "exchange/body.h"
#include "proxy/wakeup.h"
#include "storage/cache.h"

namespace rproxy::proxy {

// Codes on where it finds nothing new, if nobody else does.
class FormBody final : public exchange::Body {
 public:
  // `form`: of the entry's content, found for this body. `loop` and `keeper` outlive it.
  FormBody(cache::EntryPtr entry, std::shared_ptr<cache::CodedForm> form, net::Loop& loop, storage::Cache& keeper);
  ~FormBody() override;

  net::ValueTask<Result<exchange::Slice>> read() override { return read_on(); }
  http::BodyLength length() const override { return {http::BodyLength::Kind::kChunked, 0}; }

 private:
  net::Task<Result<exchange::Slice>> read_on();

  cache::EntryPtr entry_;
  std::shared_ptr<cache::CodedForm> form_;
  net::Loop& loop_;
  storage::Cache& keeper_;
  Wakeup wakeup_;
  cache::Content::Reader reader_;
  std::uint64_t coded_ = 0;  // of the content, in this turn
};

}  // namespace rproxy::proxy
