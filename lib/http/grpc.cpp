#include "http/grpc.h"

#include <algorithm>

#include "http/characters.h"

namespace rproxy::http {
namespace {

using Kind = GrpcType::Kind;

struct Name {
  std::string_view text;
  Kind kind;
};
constexpr Name kTypeNames[] = {
    {"application/grpc", Kind::kGrpc},
    {"application/grpc-web", Kind::kWeb},
    {"application/grpc-web-text", Kind::kWebText},
};

bool is_unencoded(char c) { return c >= 0x20 && c <= 0x7e && c != '%'; }

}  // namespace

GrpcType grpc_type(std::string_view content_type) {
  const auto type = trim(content_type.substr(0, content_type.find(';')));
  const auto plus = type.find('+');
  const auto name = type.substr(0, plus);
  const auto suffix = plus == std::string_view::npos ? std::string_view() : type.substr(plus);
  // A suffix is written into other types: nothing but a name gets there.
  if (suffix.size() == 1 || !all_are(suffix, kTokenChar)) return {};
  const auto* found =
      std::ranges::find_if(kTypeNames, [name](const Name& each) { return equals_ignoring_case(each.text, name); });
  if (found == std::end(kTypeNames)) return {};
  return {found->kind, suffix};
}

GrpcType grpc_type(const Fields& fields) { return grpc_type(fields.get(FieldId::kContentType)); }

std::string_view to_string(const GrpcType& type, Arena& arena) {
  const auto* found = std::ranges::find(kTypeNames, type.kind, &Name::kind);
  if (found == std::end(kTypeNames)) return {};
  return type.suffix.empty() ? found->text : arena.concat({found->text, type.suffix});
}

// grpc/doc http-grpc-status-mapping.md, which knows no better than "unknown" for the rest, and what that leaves out but a proxy has to say.
GrpcStatus grpc_status_of(std::uint16_t status) {
  switch (status) {
    case 400:
    case 414:
    case 431:
      return GrpcStatus::kInternal;
    case 401:
      return GrpcStatus::kUnauthenticated;
    case 403:
      return GrpcStatus::kPermissionDenied;
    case 404:
    case 501:
      return GrpcStatus::kUnimplemented;
    case 413:
      return GrpcStatus::kResourceExhausted;
    case 499:
      return GrpcStatus::kCancelled;
    case 429:
    case 502:
    case 503:
    case 504:
      return GrpcStatus::kUnavailable;
    default:
      return GrpcStatus::kUnknown;
  }
}

std::optional<std::uint16_t> parse_grpc_status(std::string_view text) {
  constexpr std::size_t kDigitsMax = 3;
  if (text.empty() || text.size() > kDigitsMax) return std::nullopt;
  std::uint16_t status = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    status = static_cast<std::uint16_t>(status * 10 + (c - '0'));
  }
  return status;
}

std::string_view encode_grpc_message(std::string_view text, Arena& arena) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  const auto plain = static_cast<std::size_t>(std::ranges::count_if(text, is_unencoded));
  if (plain == text.size()) return text;
  const std::size_t size = plain + 3 * (text.size() - plain);
  char* const begin = arena.allocate(size);
  char* out = begin;
  for (const char c : text) {
    if (is_unencoded(c)) {
      *out++ = c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    *out++ = '%';
    *out++ = kHex[byte >> 4];
    *out++ = kHex[byte & 15];
  }
  return {begin, size};
}

}  // namespace rproxy::http
