#include "proxy/response_head.h"

#include <algorithm>
#include <array>

#include "http/fields.h"

namespace rproxy::proxy {

using http::FieldId;

namespace {

constexpr FieldId kOfBackends[] = {FieldId::kServer,         FieldId::kVia,
                                   FieldId::kXAspnetVersion, FieldId::kXAspnetmvcVersion,
                                   FieldId::kXBackend,       FieldId::kXBackendServer,
                                   FieldId::kXGenerator,     FieldId::kXPoweredBy,
                                   FieldId::kXRuntime,       FieldId::kXServedBy,
                                   FieldId::kXServerName,    FieldId::kXVarnish};

constexpr auto kIsOfBackends = [] {
  std::array<bool, 256> table{};
  for (const FieldId id : kOfBackends) table[static_cast<std::size_t>(id)] = true;
  return table;
}();

bool identifies_backend(FieldId id) { return kIsOfBackends[static_cast<std::size_t>(id)]; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool starts_with_ignoring_case(std::string_view text, std::string_view start) {
  return text.size() >= start.size() && http::equals_ignoring_case(text.substr(0, start.size()), start);
}

}  // namespace

BackendHider::BackendHider(std::vector<std::string> names, std::shared_ptr<const upstream::Upstream> upstream,
                           std::string prefix)
    : names_(std::move(names)), upstream_(std::move(upstream)), prefix_(std::move(prefix)) {}

bool BackendHider::names_backend(std::string_view authority) const {
  const auto is_it = [&](const std::string& name) { return http::equals_ignoring_case(name, authority); };
  if (std::ranges::any_of(names_, is_it)) return true;
  const auto set = upstream_->endpoints();
  return std::ranges::any_of(set->endpoints(),
                             [&](const auto& endpoint) { return std::ranges::any_of(endpoint->names, is_it); });
}

std::vector<std::string> BackendHider::field_names() {
  std::vector<std::string> names;
  for (const FieldId id : kOfBackends) names.emplace_back(http::field_name(id));
  return names;
}

void BackendHider::apply(http::ResponseHead& head, const exchange::Request& request) const {
  head.fields.remove_if([](const http::Field& field) { return identifies_backend(field.id); });
  for (http::Field& field : head.fields.lines()) {
    std::string_view changed;
    switch (field.id) {
      case FieldId::kLocation:
      case FieldId::kContentLocation:
        changed = rewrite_url(field.value, request);
        break;
      case FieldId::kRefresh:
        changed = rewrite_refresh(field.value, request);
        break;
      case FieldId::kSetCookie:
        changed = rewrite_cookie(field.value, *request.arena);
        break;
      default:
        break;
    }
    if (!changed.empty()) field.value = changed;
  }
}

std::string_view BackendHider::rewrite_url(std::string_view url, const exchange::Request& request) const {
  std::string_view rest = url;
  if (starts_with_ignoring_case(rest, "http:")) {
    rest.remove_prefix(5);
  } else if (starts_with_ignoring_case(rest, "https:")) {
    rest.remove_prefix(6);
  }
  if (!rest.starts_with("//")) return {};
  rest.remove_prefix(2);
  const auto end = std::min(rest.find_first_of("/?#"), rest.size());
  auto authority = rest.substr(0, end);
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) authority.remove_prefix(at + 1);
  // A backend that was told the client's own Host and answers with it has told nothing.
  if (!names_backend(authority) || http::equals_ignoring_case(authority, request.client_authority)) return {};
  const auto path = rest.substr(end);
  const std::string_view slash = path.starts_with('/') ? "" : "/";
  if (request.client_authority.empty()) return request.arena->concat({prefix_, slash, path});
  return request.arena->concat({request.head.scheme, "://", request.client_authority, prefix_, slash, path});
}

// "5; url=http://backend/x" (HTML 4.2.5.3).
std::string_view BackendHider::rewrite_refresh(std::string_view value, const exchange::Request& request) const {
  const auto separator = value.find_first_of(";,");
  if (separator == std::string_view::npos) return {};
  auto url = trim(value.substr(separator + 1));
  if (!starts_with_ignoring_case(url, "url")) return {};
  url = trim(url.substr(3));
  if (!url.starts_with('=')) return {};
  url = trim(url.substr(1));
  const bool quoted = url.size() >= 2 && (url.front() == '"' || url.front() == '\'') && url.back() == url.front();
  if (quoted) url = url.substr(1, url.size() - 2);
  const auto changed = rewrite_url(url, request);
  if (changed.empty()) return {};
  return request.arena->concat({value.substr(0, separator), "; url=", changed});
}

// Without Domain the cookie belongs to the host the client asked (RFC 6265 5.3), which is what the backend meant.
std::string_view BackendHider::rewrite_cookie(std::string_view value, Arena& arena) const {
  for (auto at = value.find(';'); at != std::string_view::npos;) {
    const auto next = value.find(';', at + 1);
    const auto attribute = trim(value.substr(at + 1, next == std::string_view::npos ? next : next - at - 1));
    if (starts_with_ignoring_case(attribute, "domain")) {
      auto domain = trim(attribute.substr(6));
      if (domain.starts_with('=')) {
        domain = trim(domain.substr(1));
        if (domain.starts_with('.')) domain.remove_prefix(1);
        if (names_backend(domain)) {
          return arena.concat({value.substr(0, at), next == std::string_view::npos ? "" : value.substr(next)});
        }
      }
    }
    at = next;
  }
  return {};
}

}  // namespace rproxy::proxy
