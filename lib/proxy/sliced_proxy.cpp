#include "proxy/sliced_proxy.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "http/conditional.h"
#include "http/date.h"
#include "http/range.h"
#include "proxy/request_beside.h"

namespace rproxy::proxy {

using exchange::Request;
using exchange::Response;
using exchange::Slice;
using http::FieldId;

namespace {

std::unique_ptr<RequestBeside> slice_request(const Request& of, std::uint64_t first, std::uint64_t size) {
  auto beside = std::make_unique<RequestBeside>(of, nullptr);
  http::Fields& fields = beside->request().head.fields;
  for (const FieldId id : {FieldId::kRange, FieldId::kIfRange, FieldId::kIfNoneMatch, FieldId::kIfModifiedSince}) {
    fields.remove(id);
  }
  fields.add(FieldId::kRange, of.arena->copy(fmt::format("bytes={}-{}", first, first + size - 1)));
  return beside;
}

// What must be the same of all slices.
struct Version {
  std::uint64_t size = 0;
  std::string_view etag;
  std::string_view last_modified;

  static std::optional<Version> of(const Response& response) {
    const auto part = http::parse_content_range(response.head.fields.get(FieldId::kContentRange));
    if (response.head.status != 206 || !part || !part->size) return std::nullopt;
    return Version{*part->size, response.head.fields.get(FieldId::kEtag),
                   response.head.fields.get(FieldId::kLastModified)};
  }
  bool can_be_told() const { return (!etag.empty() && !http::is_weak(etag)) || !last_modified.empty(); }
  bool operator==(const Version&) const = default;
};

// The range of the whole, slice after slice.
class SlicesBody final : public exchange::Body {
 public:
  SlicesBody(const Request& request, exchange::Handler& next, std::uint64_t slice, Version version,
             http::ByteRange range)
      : request_(request), next_(next), slice_(slice), version_(version), range_(range), position_(range.first) {}

  // The slice that begins there has been asked for already.
  void begin_with(std::uint64_t first, std::unique_ptr<RequestBeside> beside, std::unique_ptr<exchange::Body> body) {
    beside_ = std::move(beside);
    body_ = std::move(body);
    at_ = first;
  }

  http::BodyLength length() const override { return {http::BodyLength::Kind::kFixed, range_.size()}; }
  net::ValueTask<Result<Slice>> read() override { return next_piece(); }

 private:
  net::Task<Result<Slice>> next_piece() {
    for (;;) {
      if (body_ == nullptr) {
        if (auto opened = co_await open(); !opened) co_return fail(std::move(opened.error()));
      }
      auto piece = co_await body_->read();
      if (!piece) co_return piece;
      // What it views is the entry's, which the body keeps: it goes with the next read at the earliest.
      const auto wanted = within(piece->data);
      at_ += piece->data.size();
      const bool ends_slice = piece->last;
      if (ends_slice) old_ = std::move(body_);
      if (wanted.empty() && position_ <= range_.last) continue;
      co_return Slice{wanted, position_ > range_.last};
    }
  }

  // Of a piece that begins at at_ what belongs to the range.
  std::string_view within(std::string_view data) {
    const std::uint64_t end = at_ + data.size();
    if (end <= position_ || at_ > range_.last) return {};
    const std::uint64_t skip = position_ - at_;
    const std::uint64_t count = std::min(end, range_.last + 1) - position_;
    position_ += count;
    return data.substr(static_cast<std::size_t>(skip), static_cast<std::size_t>(count));
  }

  net::Task<Result<void>> open() {
    const std::uint64_t first = position_ / slice_ * slice_;
    old_.reset();
    beside_ = slice_request(request_, first, slice_);
    auto response = co_await next_.handle(beside_->request());
    if (!response) co_return fail(std::move(response.error()));
    const auto version = Version::of(*response);
    // Another one by now, or none: what has been sent of the old one can't be finished.
    if (!version || *version != version_ || response->body == nullptr) {
      co_return fail(ErrorCode::kTruncated, Side::kUpstream, Retry::kNever, "it changed between two slices");
    }
    body_ = std::move(response->body);
    at_ = first;
    co_return Result<void>();
  }

  const Request& request_;
  exchange::Handler& next_;
  const std::uint64_t slice_;
  const Version version_;
  const http::ByteRange range_;
  std::uint64_t position_;  // the next byte to be given
  std::uint64_t at_ = 0;    // where the next piece begins
  std::unique_ptr<RequestBeside> beside_;
  std::unique_ptr<exchange::Body> old_;  // the last piece may be of it
  std::unique_ptr<exchange::Body> body_;
};

// Which slice is asked for first, before anything is known of the whole.
std::uint64_t first_position(const std::optional<http::RangeSpec>& spec) {
  return spec && spec->first ? *spec->first : 0;
}

}  // namespace

net::Task<Result<Response>> SlicedProxy::handle(Request& request) {
  const http::Fields& fields = request.head.fields;
  const auto* range = fields.find(FieldId::kRange);
  const bool is_simple = range == nullptr || http::read_single_range(range->value).has_value();
  const bool is_for_slices = request.head.method_id == http::Method::kGet && request.body == nullptr && is_simple &&
                             !request.head.upgrade && !fields.has(FieldId::kIfMatch) &&
                             !fields.has(FieldId::kIfUnmodifiedSince);
  return is_for_slices ? assemble(request) : next_->handle(request);
}

net::Task<Result<Response>> SlicedProxy::assemble(Request& request) {
  const auto* asked = request.head.fields.find(FieldId::kRange);
  auto spec = asked != nullptr ? http::read_single_range(asked->value) : std::nullopt;
  const std::uint64_t first = first_position(spec) / size_ * size_;
  auto beside = slice_request(request, first, size_);
  auto response = co_await next_->handle(beside->request());
  request.trace = beside->request().trace;
  if (!response) co_return response;
  const auto version = Version::of(*response);
  if (!version || !version->can_be_told() || response->body == nullptr) {
    // Beyond the end, empty, without ranges or without a validator.
    if (response->head.status == 206 || response->head.status == 416) co_return co_await next_->handle(request);
    request.bodies_in_between.push_back(with_request(std::move(beside), nullptr));
    co_return response;
  }
  const std::int64_t now =
      std::chrono::floor<std::chrono::seconds>(request.loop->wall_now()).time_since_epoch().count();
  const auto validators = http::validators_of(response->head.fields, now);
  http::Fields& fields = response->head.fields;
  const auto date = http::parse_date(fields.get(FieldId::kDate), now);
  if (!http::if_range_holds(request.head.fields, validators, date, now)) spec.reset();
  http::ByteRange range{0, version->size - 1};
  if (spec) {
    const auto found = http::read_ranges(asked->value, version->size, 1);
    if (found.kind != http::RequestedRanges::Kind::kSatisfiable) co_return co_await next_->handle(request);
    range = found.ranges.front();
    fields.set(FieldId::kContentRange, http::content_range_text(range, version->size, *request.arena));
  } else {
    response->head.status = 200;
    fields.remove(FieldId::kContentRange);
  }
  // The texts are the entry's, which goes with the first slice.
  for (http::Field& field : fields.lines()) {
    field.name = request.arena->copy(field.name);
    field.value = request.arena->copy(field.value);
  }
  if (http::is_not_modified(request.head, validators, now)) {
    response->head.status = 304;
    for (const FieldId id : {FieldId::kContentRange, FieldId::kContentType, FieldId::kContentEncoding})
      fields.remove(id);
    response->body.reset();
    co_return response;
  }
  Version kept = *version;
  kept.etag = fields.get(FieldId::kEtag);
  kept.last_modified = fields.get(FieldId::kLastModified);
  auto body = std::make_unique<SlicesBody>(request, *next_, size_, kept, range);
  // A suffix may begin in another slice than was asked for.
  if (range.first >= first && range.first < first + size_)
    body->begin_with(first, std::move(beside), std::move(response->body));
  response->body = std::move(body);
  co_return response;
}

}  // namespace rproxy::proxy
