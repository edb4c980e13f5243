#include "http/content_coding.h"

#include <algorithm>

#include "http/characters.h"

namespace rproxy::http {
namespace {

constexpr std::array<std::string_view, kCodingCount> kCodingNames{"identity", "gzip", "deflate", "br",
                                                                  "zstd",     "dcb",  "dcz"};
constexpr std::int16_t kUnsaid = -1;

// RFC 9110 12.4.2: "0.8" as 800; nothing for what is malformed.
std::optional<std::int16_t> parse_quality(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  int value = (text[0] - '0') * 1000;
  int place = 100;
  for (std::size_t i = 2; i < text.size(); ++i, place /= 10) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value += (text[i] - '0') * place;
  }
  if (value > 1000) return std::nullopt;
  return static_cast<std::int16_t>(value);
}

struct Weighed {
  std::string_view name;
  std::int16_t quality = 1000;
};

// RFC 9110 12.5.3: a name, and nothing but a weight with it.
std::optional<Weighed> parse_member(std::string_view member) {
  const auto semicolon = member.find(';');
  Weighed read{trim(member.substr(0, semicolon))};
  if (!is_token(read.name)) return std::nullopt;
  if (semicolon == std::string_view::npos) return read;
  const auto weight = trim(member.substr(semicolon + 1));
  if (weight.size() < 2 || to_lower(weight[0]) != 'q' || weight[1] != '=') return std::nullopt;
  const auto quality = parse_quality(weight.substr(2));
  if (!quality) return std::nullopt;
  read.quality = *quality;
  return read;
}

void lower(std::int16_t& quality, std::int16_t to) { quality = quality == kUnsaid ? to : std::min(quality, to); }

bool needs_dictionary(Coding coding) { return coding == Coding::kDcb || coding == Coding::kDcz; }

}  // namespace

std::string_view to_string(Coding coding) { return kCodingNames[static_cast<std::size_t>(coding)]; }

std::optional<Coding> coding_of(std::string_view name) {
  for (std::size_t i = 0; i < kCodingCount; ++i) {
    if (equals_ignoring_case(name, kCodingNames[i])) return static_cast<Coding>(i);
  }
  if (equals_ignoring_case(name, "x-gzip")) return Coding::kGzip;
  return std::nullopt;
}

AcceptedCodings AcceptedCodings::of(const Fields& request) {
  AcceptedCodings accepted;
  accepted.quality_.fill(kUnsaid);
  std::int16_t any = kUnsaid;
  for (const Field& field : request) {
    if (field.id != FieldId::kAcceptEncoding) continue;
    for_each_element(field.value, [&](std::string_view element) {
      const auto member = parse_member(element);
      if (!member) return true;
      if (member->name == "*") {
        lower(any, member->quality);
      } else if (const auto coding = coding_of(member->name)) {
        lower(accepted.quality_[static_cast<std::size_t>(*coding)], member->quality);
      }
      return true;
    });
  }
  for (std::size_t i = 0; i < kCodingCount; ++i) {
    auto& quality = accepted.quality_[i];
    if (quality == kUnsaid && !needs_dictionary(static_cast<Coding>(i))) quality = any;
  }
  auto& identity = accepted.quality_[static_cast<std::size_t>(Coding::kIdentity)];
  accepted.weighs_identity_ = identity != kUnsaid;
  // RFC 9110 12.5.3: acceptable unless it is excluded.
  if (identity == kUnsaid) identity = 1;
  for (auto& quality : accepted.quality_) quality = std::max<std::int16_t>(quality, 0);
  return accepted;
}

CodingChoice choose_coding(const AcceptedCodings& accepted, std::span<const Coding> offer) {
  CodingChoice choice;
  const int identity = accepted.quality(Coding::kIdentity);
  int best = std::max(identity, 1);
  for (const Coding coding : offer) {
    const int quality = accepted.quality(coding);
    if (coding == Coding::kIdentity || quality < best || (choice.coding && quality == best)) continue;
    best = quality;
    choice.coding = coding;
  }
  choice.is_acceptable = choice.coding || identity > 0;
  return choice;
}

AppliedCodings AppliedCodings::of(const Fields& head) {
  AppliedCodings applied;
  for (const Field& field : head) {
    if (field.id != FieldId::kContentEncoding) continue;
    for_each_element(field.value, [&applied](std::string_view name) {
      const auto coding = coding_of(name);
      if (coding == Coding::kIdentity) return true;
      applied.understood_ = applied.understood_ && coding && applied.size_ < kMax;
      if (applied.understood_) applied.list_[applied.size_++] = *coding;
      return applied.understood_;
    });
  }
  if (!applied.understood_) applied.size_ = 0;
  return applied;
}

}  // namespace rproxy::http
