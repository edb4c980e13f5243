#include "proxy/cache_visit.h"

#include <algorithm>
#include <string>

namespace rproxy::proxy {

using http::FieldId;

namespace {

std::vector<route::Predicates> compile(const std::vector<route::Match>& conditions) {
  std::vector<route::Predicates> compiled;
  std::string error;  // they were compiled when they were read
  for (const auto& condition : conditions) compiled.emplace_back(condition, error);
  return compiled;
}

bool any_holds(const std::vector<route::Predicates>& conditions, const exchange::Request& request) {
  return std::ranges::any_of(conditions, [&](const auto& each) { return each.hold(request.head, request.client_ip); });
}

}  // namespace

CacheConditions::CacheConditions(const CacheOptions& options)
    : bypass_(compile(options.bypass)), no_store_(compile(options.no_store)) {}

std::string_view CacheConditions::reason_to_pass(const exchange::Request& request) const {
  const http::RequestHead& head = request.head;
  const bool reads = head.method_id == http::Method::kGet || head.method_id == http::Method::kHead;
  if (!reads || request.body != nullptr || head.upgrade) return "method";
  // Theirs to decide whose representation it is (RFC 9111 4.3.2).
  if (head.fields.has(FieldId::kIfMatch) || head.fields.has(FieldId::kIfUnmodifiedSince)) return "request";
  if (any_holds(bypass_, request)) return "bypass";
  return {};
}

bool CacheConditions::may_store(const exchange::Request& request) const { return !any_holds(no_store_, request); }

std::int64_t wall_ms(const net::Loop& loop) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(loop.wall_now().time_since_epoch()).count();
}

cache::Key cache_key(const exchange::Request& request, std::string_view scope, const CacheOptions& options) {
  return cache::make_key(scope, options.policy.key, request.head, request.client_authority, request.client_path,
                         *request.arena);
}

}  // namespace rproxy::proxy
