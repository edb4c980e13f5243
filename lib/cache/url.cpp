#include "cache/url.h"

#include "http/fields.h"
#include "http/request_target.h"

namespace rproxy::cache {

std::optional<http::RequestHead> parse_url(std::string_view text, const http::PathPolicy& paths, Arena& arena) {
  http::RequestHead head;
  head.method = "GET";
  head.method_id = http::Method::kGet;
  // What follows '#' stays with the client.
  text = arena.copy(text.substr(0, text.find('#')));
  for (const std::string_view scheme : {"http", "https"}) {
    const auto colon = text.find("://");
    if (http::equals_ignoring_case(text.substr(0, colon), scheme)) head.scheme = scheme;
  }
  if (head.scheme.empty() || http::parse_request_target(text, head, paths, arena) != nullptr) return std::nullopt;
  return head;
}

}  // namespace rproxy::cache
