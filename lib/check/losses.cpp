#include "check/losses.h"

#include <fmt/format.h>

#include "check/conditions.h"
#include "http/cookie.h"
#include "http/query.h"

namespace rproxy::check {
namespace {

using route::Aspect;

std::string quoted(std::string_view text) { return fmt::format("\"{}\"", text); }

// What the request has where the rule asks for a value; "none" where it has nothing.
std::string found_for(const route::Loss& loss, const http::RequestHead& head) {
  const std::string& name = loss.asked->name;
  std::optional<std::string_view> found;
  if (loss.aspect == Aspect::kQuery) {
    found = http::find_query(head.query, name);
  } else if (loss.aspect == Aspect::kCookie) {
    found = http::find_cookie(head.fields, name);
  } else if (const http::Field* field = head.fields.find(name)) {
    found = field->value;
  }
  if (!found) return "none";
  const bool is_hidden = loss.aspect == Aspect::kCookie || loss.asked->is_secret || may_be_secret(name);
  return is_hidden ? "another" : quoted(*found);
}

std::string text_of_value(const route::Loss& loss, const http::RequestHead& head) {
  const std::string_view kind = loss.aspect == Aspect::kHeader  ? "header"
                                : loss.aspect == Aspect::kQuery ? "query"
                                                                : "cookie";
  return fmt::format("it asks for {} {} {}, the request has {}", kind, loss.asked->name, text_of(*loss.asked),
                     found_for(loss, head));
}

std::string text_of_networks(const route::Rule& rule) {
  std::string text;
  for (const auto& network : rule.match.client_ips) text += (text.empty() ? "" : ", ") + network.to_string();
  return text;
}

std::string text_of_precedence(std::string_view by) {
  if (by == "priority") return "its priority is lower";
  if (by == "host") return "its host is less exact";
  if (by == "path") return "its path is less exact";
  return by == "conditions" ? "it asks for less" : "it comes later in the file";
}

}  // namespace

std::string text_of(const route::Loss& loss, const route::Rule& rule, const http::RequestHead& head,
                    const IpAddress& client) {
  switch (loss.aspect) {
    case Aspect::kHost:
      return fmt::format("it asks for host {}, not {}", rule.match.host, head.host);
    case Aspect::kPath:
      return fmt::format("it asks for path {}", text_of(rule.match.path));
    case Aspect::kMethod:
      return fmt::format("it asks for method {}, not {}", fmt::join(rule.match.methods, ", "), head.method);
    case Aspect::kClientIp:
      return fmt::format("it asks for a client of {}, not {}", text_of_networks(rule), client.to_string());
    case Aspect::kPrecedence:
      return "it would match, too, but " + text_of_precedence(loss.precedence);
    default:
      return text_of_value(loss, head);
  }
}

}  // namespace rproxy::check
