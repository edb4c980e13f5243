#include "exchange/representation.h"

#include <memory>
#include <utility>
#include <vector>

namespace rproxy::exchange {

using http::FieldId;

namespace {

constexpr std::size_t kRangesMax = 16;

// RFC 9110 15.4.5, and what keeps the client's copy fresh.
bool belongs_to_not_modified(const http::Field& field) {
  return field.id == FieldId::kCacheControl || field.id == FieldId::kContentLocation || field.id == FieldId::kDate ||
         field.id == FieldId::kEtag || field.id == FieldId::kExpires || field.id == FieldId::kVary ||
         field.id == FieldId::kLastModified || field.id == FieldId::kCdnCacheControl ||
         field.id == FieldId::kNoVarySearch;
}

Response unsatisfied(Request& request, std::uint64_t size) {
  Response response;
  response.head.status = 416;
  response.head.fields.add(FieldId::kContentRange, http::unsatisfied_range_text(size, *request.arena));
  return response;
}

Response many_ranges(Request& request, const Representation& of, std::vector<http::ByteRange> ranges) {
  Response response;
  response.head.status = 206;
  response.head.fields = of.fields;
  const std::string_view type = request.arena->copy(of.fields.get(FieldId::kContentType));
  auto body = std::make_unique<MultipartBody>(of.make, std::move(ranges), of.size, type);
  response.head.fields.set(FieldId::kContentType, request.arena->copy(body->content_type()));
  response.body = std::move(body);
  return response;
}

}  // namespace

Response not_modified(Request& request, const http::Fields& fields) {
  Response response;
  response.head.status = 304;
  for (const auto& field : fields) {
    if (!belongs_to_not_modified(field)) continue;
    response.head.fields.add(http::Field{request.arena->copy(field.name), request.arena->copy(field.value), field.id});
  }
  return response;
}

Response one_range(Request& request, const http::Fields& fields, const http::ByteRange& range, std::uint64_t size,
                   const PartMaker& make) {
  Response response;
  response.head.status = 206;
  response.head.fields = fields;
  response.head.fields.set(FieldId::kContentRange, http::content_range_text(range, size, *request.arena));
  response.body = make(range.first, range.size());
  return response;
}

std::optional<Response> answer_range(Request& request, const Representation& of, std::int64_t now) {
  const auto* range = request.head.fields.find(FieldId::kRange);
  if (range == nullptr || request.head.method_id != http::Method::kGet) return std::nullopt;
  if (!http::if_range_holds(request.head.fields, of.validators, of.date, now)) return std::nullopt;
  auto found = http::read_ranges(range->value, of.size, kRangesMax);
  using Found = http::RequestedRanges::Kind;
  if (found.kind == Found::kIgnored) return std::nullopt;
  if (found.kind == Found::kUnsatisfiable) return unsatisfied(request, of.size);
  if (found.ranges.size() == 1) return one_range(request, of.fields, found.ranges.front(), of.size, of.make);
  return many_ranges(request, of, std::move(found.ranges));
}

}  // namespace rproxy::exchange
