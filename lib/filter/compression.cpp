#include "filter/compression.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iterator>
#include <span>
#include <string_view>

#include "codec/sizing.h"
#include "exchange/error_page.h"
#include "filter/encoded_content.h"
#include "filter/learning_content.h"
#include "http/characters.h"
#include "http/conditional.h"
#include "http/grpc.h"
#include "http/head_lines.h"

namespace rproxy::filter {

using exchange::Request;
using exchange::Response;
using http::Coding;
using http::FieldId;

// What the client has said, before handlers change it.
struct Compression::Asked {
  explicit Asked(const Request& request)
      : accepted(http::AcceptedCodings::of(request.head.fields)),
        says_codings(request.head.fields.has(FieldId::kAcceptEncoding)),
        if_none_match(request.head.fields.get(FieldId::kIfNoneMatch)),
        path(request.client_path),
        is_head(request.head.method_id == http::Method::kHead) {}

  http::AcceptedCodings accepted;
  bool says_codings;
  std::string_view if_none_match;
  std::string_view origin;  // of the request, where there may be dictionaries
  std::string_view path;
  bool is_head;
  std::shared_ptr<const codec::Dictionary> dictionary;  // that the client has, and that is for what it asks for
};

namespace {

enum Limit : std::uint8_t { kLevel, kLoad, kMemory };

metrics::CompressionCounters* counters_of(const Request& request) {
  return request.trace.series != nullptr ? &request.trace.series->compression : nullptr;
}

void count_limit(const Request& request, Limit limit) {
  if (auto* const counters = counters_of(request)) counters->limited.at(limit).add();
}

constexpr std::string_view kUseAsDictionary = "Use-As-Dictionary";

bool needs_dictionary(Coding coding) { return coding == Coding::kDcb || coding == Coding::kDcz; }

// What others must not learn from the lengths of what they are sent.
bool is_of_one(const http::Fields& fields) {
  return fields.has(FieldId::kSetCookie) || std::ranges::any_of(fields, [](const http::Field& field) {
           return field.id == FieldId::kCacheControl &&
                  (http::list_contains(field.value, "private") || http::list_contains(field.value, "no-store"));
         });
}

constexpr int kCrowdedWindowLog = 16;

std::size_t index_of(Coding coding) { return static_cast<std::size_t>(coding) - 1; }

bool forbids_transforming(const http::Fields& fields) {
  return std::ranges::any_of(fields, [](const http::Field& field) {
    return field.id == FieldId::kCacheControl && http::list_contains(field.value, "no-transform");
  });
}

// Contents that are what they are: none, a part (RFC 9110 15.3.7), or gRPC's, which compresses by itself.
bool may_change(const Response& response, bool is_head) {
  const http::Fields& fields = response.head.fields;
  const std::uint16_t status = response.head.status;
  if (status < 200 || status == 204 || status == 206 || status == 304 || response.tunnel != nullptr) return false;
  if (response.body == nullptr && !is_head) return false;
  return !fields.has(FieldId::kContentRange) && !forbids_transforming(fields) &&
         http::grpc_type(fields).kind == http::GrpcType::Kind::kNone;
}

bool varies_by_coding(const http::Fields& fields) {
  return std::ranges::any_of(fields, [](const http::Field& field) {
    return field.id == FieldId::kVary &&
           (http::list_contains(field.value, "*") || http::list_contains(field.value, "Accept-Encoding"));
  });
}

// By what is asked of the client, which is all of `names`.
void add_vary(http::Fields& fields, std::string_view names = "Accept-Encoding") {
  if (!varies_by_coding(fields)) return fields.add(FieldId::kVary, names);
  if (names != "Accept-Encoding") fields.add(FieldId::kVary, "Available-Dictionary");
}

// The bytes are others, though they mean the same (RFC 9110 8.8.1).
void weaken(http::Fields& fields, Arena& arena) {
  const std::string_view tag = fields.get(FieldId::kEtag);
  if (http::is_entity_tag(tag) && !http::is_weak(tag)) fields.set(FieldId::kEtag, arena.concat({"W/", tag}));
}

// What is said of other bytes than those that go out.
void forget_bytes(http::Fields& fields) {
  for (const FieldId id : {FieldId::kContentLength, FieldId::kAcceptRanges, FieldId::kContentMd5}) fields.remove(id);
  for (const std::string_view name : {"Content-Digest", "Repr-Digest", "Digest"}) fields.remove(name);
}

void become(Response& response, std::string_view coding, Arena& arena) {
  http::Fields& fields = response.head.fields;
  if (coding.empty()) {
    fields.remove(FieldId::kContentEncoding);
  } else {
    fields.set(FieldId::kContentEncoding, coding);
  }
  forget_bytes(fields);
  weaken(fields, arena);
}

// Of the content; nothing where it is not known.
std::optional<std::uint64_t> length_of(const Response& response) {
  if (response.body == nullptr) return http::declared_length(response.head.fields);
  const http::BodyLength length = response.body->length();
  if (length.kind == http::BodyLength::Kind::kFixed) return length.bytes;
  return std::nullopt;
}

// A client that has the content in a coding knows it by the weak form of its tag.
void speak_of_coded(http::Fields& fields, std::string_view if_none_match, Arena& arena) {
  const std::string_view tag = fields.get(FieldId::kEtag);
  if (!http::is_entity_tag(tag) || http::is_weak(tag)) return;
  const std::string_view weak = arena.concat({"W/", tag});
  bool has_it = false;
  http::for_each_element(if_none_match, [&](std::string_view element) { return !(has_it = element == weak); });
  if (!has_it) return;
  fields.set(FieldId::kEtag, weak);
  add_vary(fields);
}

// What a client that takes all of the codings gets as it is.
bool takes_all(const http::AcceptedCodings& accepted, std::span<const Coding> codings) {
  return std::ranges::all_of(codings, [&](Coding coding) { return accepted.quality(coding) > 0; });
}

}  // namespace

Compression::Compression(const CompressionOptions& options, const CompressionLimits& limits,
                         std::shared_ptr<Codecs> codecs, std::unique_ptr<exchange::Handler> next)
    : options_(options),
      limits_(limits),
      codecs_(std::move(codecs)),
      types_(options.types.empty() ? http::MediaTypes::compressible() : http::MediaTypes(options.types)),
      next_(std::move(next)) {
  std::ranges::copy_if(options.codings, std::back_inserter(offer_), codec::can_encode);
  std::ranges::copy_if(std::array{Coding::kDcz, Coding::kDcb}, std::back_inserter(offer_with_dictionary_),
                       codec::can_encode);
  std::ranges::copy(offer_, std::back_inserter(offer_with_dictionary_));
}

net::Task<Result<Response>> Compression::handle(Request& request) {
  Asked asked(request);
  if (options_.dictionary.enabled) {
    asked.origin = request.arena->concat({request.head.scheme, "://", request.client_authority});
    if (const auto hash = available_dictionary(request.head.fields)) {
      asked.dictionary = codecs_->dictionaries->find(*hash, asked.origin, asked.path);
    }
  }
  if (options_.decompress_requests) {
    if (auto refused = decode_request(request)) co_return std::move(*refused);
  }
  if (options_.offload) request.head.fields.remove(FieldId::kAcceptEncoding);
  auto response = co_await next_->handle(request);
  if (response) go_through(request, asked, *response);
  co_return response;
}

// What it is refused with; nothing: it goes on.
std::optional<Response> Compression::decode_request(Request& request) const {
  http::Fields& fields = request.head.fields;
  if (request.body == nullptr || !fields.has(FieldId::kContentEncoding)) return std::nullopt;
  const auto applied = http::AppliedCodings::of(fields);
  if (applied.is_identity()) return std::nullopt;
  if (!has_memory()) {
    count_limit(request, kMemory);
    return exchange::error_response(request, 503);
  }
  bool can = applied.is_understood();
  for (auto coding = applied.list().rbegin(); can && coding != applied.list().rend(); ++coding) {
    auto decoder = codecs_->decoders.take(decoder_options(*coding, Side::kClient));
    can = decoder.has_value();
    if (!can) break;
    request.bodies_in_between.push_back(
        std::make_unique<DecodedContent>(*request.body, nullptr, codecs_, std::move(*decoder), *request.loop));
    request.body = request.bodies_in_between.back().get();
    if (auto* const counters = counters_of(request)) counters->decoded.at(index_of(*coding)).add();
  }
  if (!can) {
    // RFC 9110 15.5.16, and what would be taken (12.5.3).
    Response refused = exchange::error_response(request, 415);
    refused.head.fields.add(FieldId::kAcceptEncoding, "zstd, br, gzip, deflate");
    return refused;
  }
  fields.remove(FieldId::kContentEncoding);
  forget_bytes(fields);
  return std::nullopt;
}

codec::DecoderOptions Compression::decoder_options(Coding coding, Side side) const {
  codec::DecoderOptions options;
  options.coding = coding;
  options.side = side;
  options.expansion.ratio_max = limits_.ratio_max;
  return options;
}

void Compression::go_through(const Request& request, const Asked& asked, Response& response) const {
  http::Fields& fields = response.head.fields;
  if (response.head.status == 304) return speak_of_coded(fields, asked.if_none_match, *request.arena);
  if (!may_change(response, asked.is_head)) return;
  if (fields.has(FieldId::kContentEncoding) && options_.decompress) decode(request, asked, response);
  if (!http::AppliedCodings::of(fields).is_identity()) return;
  encode(request, asked, response);
}

void Compression::decode(const Request& request, const Asked& asked, Response& response) const {
  http::Fields& fields = response.head.fields;
  const auto applied = http::AppliedCodings::of(fields);
  if (!applied.is_understood() || applied.is_identity() || takes_all(asked.accepted, applied.list())) return;
  // Who says nothing may mean a file that is to stay as it is.
  if (!asked.says_codings && !types_.match(fields.get(FieldId::kContentType))) return;
  if (!has_memory()) return count_limit(request, kMemory);
  std::vector<codec::Decoders::Lease> decoders;
  for (const Coding coding : applied.list()) {
    auto decoder = codecs_->decoders.take(decoder_options(coding, Side::kUpstream));
    if (!decoder) return;
    decoders.push_back(std::move(*decoder));
  }
  while (response.body != nullptr && !decoders.empty()) {
    exchange::Body& source = *response.body;
    response.body = std::make_unique<DecodedContent>(source, std::move(response.body), codecs_,
                                                     std::move(decoders.back()), *request.loop);
    decoders.pop_back();
  }
  if (auto* const counters = counters_of(request)) counters->decoded.at(index_of(applied.list().back())).add();
  become(response, {}, *request.arena);
  add_vary(fields);
}

void Compression::encode(const Request& request, const Asked& asked, Response& response) const {
  http::Fields& fields = response.head.fields;
  const auto length = length_of(response);
  if (length == 0) return;
  const auto choice =
      http::choose_coding(asked.accepted, asked.dictionary != nullptr ? offer_with_dictionary_ : offer_);
  // Who refuses contents as they are gets others coded, too, where there is a coding.
  const bool is_asked_for = asked.accepted.quality(Coding::kIdentity) == 0;
  const bool is_worth_it =
      types_.match(fields.get(FieldId::kContentType)) && (!length || *length >= options_.min_length.bytes);
  if (!is_worth_it && !is_asked_for) return;
  add_vary(fields, options_.dictionary.enabled ? "Accept-Encoding, Available-Dictionary" : "Accept-Encoding");
  if (options_.dictionary.enabled) offer_dictionary(request, asked, response);
  if (!choice.coding) return;
  auto wanted = options_for(request, *choice.coding, length);
  if (!wanted) return;
  if (needs_dictionary(*choice.coding)) wanted->dictionary = asked.dictionary;
  // One form for all would have one length.
  const bool may_share = response.body != nullptr && options_.padding.bytes == 0;
  if (auto coded = may_share ? response.body->in_coding(*wanted, codecs_->forms) : nullptr) {
    response.body = std::move(coded);
  } else if (response.body != nullptr) {
    auto encoder = codecs_->encoders.take(*wanted);
    if (!encoder) return;
    response.body = std::make_unique<EncodedContent>(std::move(response.body), codecs_, std::move(*encoder),
                                                     *request.loop, counters_of(request));
  }
  if (auto* const counters = counters_of(request)) counters->coded.at(index_of(*choice.coding)).add();
  become(response, http::to_string(*choice.coding), *request.arena);
}

// Clients are told that they may keep the answer as a dictionary; so does this side, as soon as it has passed. Who takes a coding by
// dictionary does not say so before there is one (RFC 9842 6.1), but takes the coding itself.
void Compression::offer_dictionary(const Request& request, const Asked& asked, Response& response) const {
  http::Fields& fields = response.head.fields;
  const bool is_able = asked.accepted.quality(Coding::kZstd) > 0 || asked.accepted.quality(Coding::kBrotli) > 0;
  if (!is_able || response.head.status != 200 || request.head.method_id != http::Method::kGet || is_of_one(fields) ||
      request.head.fields.has(FieldId::kAuthorization) || fields.find(kUseAsDictionary) != nullptr) {
    return;
  }
  const auto length = length_of(response);
  if (length && *length > options_.dictionary.size_max.bytes) return;
  const std::string_view match = options_.dictionary.match.empty() ? asked.path : options_.dictionary.match;
  if (!is_dictionary_match(match)) return;
  const std::string_view version =
      request.arena->concat({asked.path, " ", fields.get(FieldId::kEtag), " ", fields.get(FieldId::kLastModified)});
  const std::string_view id = options_.dictionary.id;
  fields.add(kUseAsDictionary,
             request.arena->concat({"match=\"", match, id.empty() ? "\"" : "\", id=\"", id, id.empty() ? "" : "\""}));
  if (response.body == nullptr || !codecs_->dictionaries->claim(asked.origin, version)) return;
  response.body = std::make_unique<LearningContent>(
      std::move(response.body),
      LearningContent::Lesson{codecs_->dictionaries, std::string(asked.origin), std::string(version),
                              std::string(match), options_.dictionary.size_max.bytes});
}

// Nothing where there is too much to do already.
std::optional<codec::EncoderOptions> Compression::options_for(const Request& request, Coding coding,
                                                              std::optional<std::uint64_t> length) const {
  const auto lag = request.loop->lag();
  if (lag >= limits_.stop_at) return count_limit(request, kLoad), std::nullopt;
  codec::EncoderOptions wanted;
  wanted.coding = coding;
  wanted.size_hint = length;
  wanted.level = options_.levels.at(static_cast<std::size_t>(coding));
  if (options_.padding.bytes != 0) {
    wanted.padding = ::arc4random_uniform(static_cast<std::uint32_t>(options_.padding.bytes) + 1);
  }
  if (lag >= limits_.slow_at) {
    wanted.level = codec::levels_of(coding).min;
    count_limit(request, kLevel);
  }
  const std::size_t memory = codecs_->memory();
  if (memory >= limits_.memory.bytes) return count_limit(request, kMemory), std::nullopt;
  // From half of it on smaller ones, so that it is enough for several times as many.
  if (memory >= limits_.memory.bytes / 2) wanted.window_log_max = kCrowdedWindowLog;
  return wanted;
}

}  // namespace rproxy::filter
