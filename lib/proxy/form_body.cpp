#include "proxy/form_body.h"

#include <limits>
#include <utility>

namespace rproxy::proxy {

using exchange::Slice;

namespace {

// Of a content in a row; then others have their turn.
constexpr std::uint64_t kTurn = 128 * 1024;
constexpr std::uint64_t kAll = std::numeric_limits<std::uint64_t>::max();

}  // namespace

FormBody::FormBody(cache::EntryPtr entry, std::shared_ptr<cache::CodedForm> form, net::Loop& loop,
                   storage::Cache& keeper)
    : entry_(std::move(entry)),
      form_(std::move(form)),
      loop_(loop),
      keeper_(keeper),
      wakeup_(loop),
      reader_(form_->content(), 0) {}

// Those that waited for this one to code go on by themselves.
FormBody::~FormBody() {
  reader_.forget_listener();
  form_->content()->nudge();
  entry_->content()->forms().leave(std::move(form_));
}

net::Task<Result<Slice>> FormBody::read_on() {
  for (;;) {
    const auto piece = reader_.read(kAll, wakeup_);
    if (piece.error != nullptr) co_return fail(*piece.error);
    if (!piece.data.empty() || piece.is_end) co_return Slice{piece.data, piece.is_end, {}};
    const auto step = form_->code_on();
    if (!step.has_gone_on) {
      co_await wakeup_.told();
      continue;
    }
    if (form_->content()->is_complete()) keeper_.settle(*entry_);
    coded_ += step.in;
    if (coded_ < kTurn) continue;
    coded_ = 0;
    co_await net::NextTurn(loop_);
  }
}

}  // namespace rproxy::proxy
