#include "proxy/location_template.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "http/characters.h"

namespace rproxy::proxy {
namespace {

tl::unexpected<Error> refuse(std::string context) {
  return fail(ErrorCode::kConfig, Side::kLocal, Retry::kNever, std::move(context));
}

// RFC 3986 2: unreserved, reserved, and whole escapes.
std::string_view bad_character(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%' && (i + 2 >= text.size() || http::hex_value(text[i + 1]) < 0 || http::hex_value(text[i + 2]) < 0))
      return text.substr(i, 1);
    if (c <= ' ' || c >= 0x7f || std::string_view("\"<>\\^`{|}").find(c) != std::string_view::npos)
      return text.substr(i, 1);
  }
  return {};
}

// "shop.com/x" would be looked for beside the page that redirects.
bool leads_where_it_says(std::string_view text) {
  for (const std::string_view begin : {"/", "?", "#", "{scheme}:", "{path}", "{uri}"}) {
    if (text.starts_with(begin)) return true;
  }
  const std::size_t scheme = text.find(':');
  const auto is_scheme_char = [](char c) { return http::is(c, http::kUnreservedChar) || c == '+'; };
  return scheme != std::string_view::npos && scheme > 0 &&
         std::ranges::all_of(text.substr(0, scheme), is_scheme_char) &&
         text.substr(0, scheme).find('.') == std::string_view::npos;
}

}  // namespace

const LocationTemplate::Variable LocationTemplate::kVariables[] = {{"{scheme}", Part::kScheme},
                                                                   {"{host}", Part::kHost},
                                                                   {"{path}", Part::kPath},
                                                                   {"{query}", Part::kQuery},
                                                                   {"{uri}", Part::kUri}};

Result<LocationTemplate> LocationTemplate::compile(std::string_view text) {
  if (text.empty()) return refuse("an empty location");
  if (!leads_where_it_says(text)) return refuse("a location begins with https://, http:// or /");
  LocationTemplate made;
  while (!text.empty()) {
    const std::size_t size = text.front() == '{' ? std::min(text.find('}'), text.size() - 1) + 1 : text.find('{');
    const std::string_view piece = text.substr(0, size);
    text.remove_prefix(piece.size());
    if (piece.front() != '{') {
      if (const auto bad = bad_character(piece); !bad.empty())
        return refuse(
            fmt::format("no URI has {} as it stands", bad[0] > ' ' && bad[0] < 0x7f ? bad : "this character"));
      made.pieces_.push_back({Part::kText, std::string(piece)});
      continue;
    }
    const auto* found = std::ranges::find(kVariables, piece, &Variable::name);
    if (found == std::end(kVariables)) return refuse(fmt::format("there is no variable {}", piece));
    made.pieces_.push_back({found->part, {}});
  }
  return made;
}

Result<std::string_view> LocationTemplate::fill(const exchange::Request& request) const {
  std::string_view location;
  for (const Piece& piece : pieces_) {
    std::string_view text;
    switch (piece.part) {
      case Part::kText:
        text = piece.text;
        break;
      case Part::kScheme:
        text = request.head.scheme;
        break;
      case Part::kHost:
        text = request.head.host;
        if (text.empty()) return fail(ErrorCode::kBadRequest, Side::kClient, Retry::kNever, "no host to redirect to");
        break;
      case Part::kPath:
        text = request.client_path;
        break;
      case Part::kQuery:
        text = request.head.query;
        if (text.empty() && location.ends_with('?')) location.remove_suffix(1);
        break;
      case Part::kUri:
        text = uri_of(request);
        break;
    }
    location = location.empty() ? text : request.arena->concat({location, text});
  }
  return location;
}

std::string_view uri_of(const exchange::Request& request) {
  if (!request.head.has_query) return request.client_path;
  return request.arena->concat({request.client_path, "?", request.head.query});
}

}  // namespace rproxy::proxy
