#include "http/path.h"

#include <cstring>

#include "http/characters.h"

namespace rproxy::http {
namespace {

constexpr std::string_view kEscapedForBrowsers = "^`{|}[]";

tl::unexpected<Error> refuse(const char* reason) {
  return fail(ErrorCode::kBadRequest, Side::kClient, Retry::kNever, reason);
}

bool is_normal(std::string_view path, const PathPolicy& policy) {
  const bool single_slashes = policy.duplicate_slashes != PathPolicy::Slashes::kKeep;
  char previous = '\0';
  for (const char c : path) {
    if (!is(c, kPathChar)) return false;  // '%' too
    if (previous == '/' && (c == '.' || (c == '/' && single_slashes))) return false;
    previous = c;
  }
  return true;
}

char* put_escaped(char* out, unsigned char byte) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  *out++ = '%';
  *out++ = kDigits[byte >> 4];
  *out++ = kDigits[byte & 15];
  return out;
}

// One spelling for every character. Null: refused.
char* unify_characters(std::string_view path, const PathPolicy& policy, char* out) {
  for (std::size_t i = 0; i < path.size(); ++i) {
    const char c = path[i];
    if (is(c, kPathChar)) {
      *out++ = c;
      continue;
    }
    if (c != '%') {
      if (kEscapedForBrowsers.find(c) == std::string_view::npos) return nullptr;
      out = put_escaped(out, static_cast<unsigned char>(c));
      continue;
    }
    if (path.size() - i < 3) return nullptr;
    const int high = hex_value(path[i + 1]);
    const int low = hex_value(path[i + 2]);
    if (high < 0 || low < 0) return nullptr;
    i += 2;
    const auto byte = static_cast<unsigned char>(high << 4 | low);
    if (byte < 0x20 || byte == 0x7f) return nullptr;
    if (byte == '/' || byte == '\\') {
      if (policy.encoded_slash == PathPolicy::EncodedSlash::kReject) return nullptr;
      if (policy.encoded_slash == PathPolicy::EncodedSlash::kDecode) {
        *out++ = '/';
        continue;
      }
    }
    if (is(static_cast<char>(byte), kUnreservedChar)) {
      *out++ = static_cast<char>(byte);
    } else {
      out = put_escaped(out, byte);
    }
  }
  return out;
}

// RFC 3986 5.2.4, in place. Null: refused.
char* resolve_segments(char* begin, char* end, PathPolicy::Slashes slashes) {
  char* out = begin;
  for (char* at = begin; at < end;) {
    // `at` is on a slash; a segment follows.
    char* segment = at + 1;
    auto* next = static_cast<char*>(std::memchr(segment, '/', static_cast<std::size_t>(end - segment)));
    const bool last = next == nullptr;
    if (last) next = end;
    const std::string_view text(segment, static_cast<std::size_t>(next - segment));
    at = next;
    if (text.starts_with(".;") || text.starts_with("..;")) return nullptr;
    if (text == "..") {
      if (out == begin) return nullptr;
      while (*--out != '/') {
      }
    }
    if (text == "." || text == "..") {
      if (last) *out++ = '/';
      continue;
    }
    if (text.empty() && !last && slashes != PathPolicy::Slashes::kKeep) {
      if (slashes == PathPolicy::Slashes::kReject) return nullptr;
      continue;
    }
    *out++ = '/';
    std::memmove(out, segment, text.size());
    out += text.size();
  }
  return out;
}

}  // namespace

Result<std::string_view> normalize_path(std::string_view path, const PathPolicy& policy, Arena& arena) {
  if (is_normal(path, policy)) return path;
  char* begin = arena.allocate(path.size() * 3);
  char* end = unify_characters(path, policy, begin);
  if (end == nullptr) return refuse("invalid character or escape in the path");
  end = resolve_segments(begin, end, policy.duplicate_slashes);
  if (end == nullptr) return refuse("path climbs above the root or has a segment that is not allowed");
  return std::string_view(begin, static_cast<std::size_t>(end - begin));
}

}  // namespace rproxy::http
