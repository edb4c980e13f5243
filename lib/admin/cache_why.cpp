// Whether a request would be answered from what is stored: asked of the configuration that serves.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <variant>

#include "admin/actions.h"
#include "admin/cache_view.h"
#include "admin/members.h"
#include "cache/fit.h"
#include "cache/url.h"
#include "cache/why.h"
#include "http/head_parser.h"
#include "proxy/cache_scope.h"
#include "proxy/cache_visit.h"
#include "proxy/route_choice.h"
#include "route/router.h"
#include "storage/disk_rows.h"

namespace rproxy::admin {
namespace {

// Of the networks that are for documentation (RFC 5737): a client that nobody has a rule for.
constexpr std::string_view kSomeClient = "192.0.2.1";

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
}

// As a server would have it, by the parser of servers.
class AskedOfCache {
 public:
  AskedOfCache(const std::string& url, const std::vector<std::string>& fields, const config::Config& config) {
    Arena scratch;
    const auto target = cache::parse_url(url, config.client.paths, scratch);
    const bool is_said = target.has_value() && std::ranges::none_of(fields, has_control);
    if (!is_said || has_control(url)) return;
    text_ = fmt::format("GET {}{}{} HTTP/1.1\r\nHost: {}\r\n", target->path, target->has_query ? "?" : "",
                        target->query, target->authority);
    for (const std::string& field : fields) text_ += field + "\r\n";
    text_ += "\r\n";
    client_.scheme = target->scheme;
    client_.peer.ip = *IpAddress::parse(kSomeClient);
    request_.client = &client_;
    request_.arena = &arena_;
    request_.client_ip = client_.peer.ip;
    http::RequestHeadParser parser(request_.head, arena_, config.client.head, config.client.paths);
    const auto parsed = parser.feed(text_);
    is_good_ = parsed && *parsed == http::ParseProgress::kDone;
    request_.head.scheme = client_.scheme;
    request_.client_path = request_.head.path;
    request_.client_authority = request_.head.authority;
  }
  AskedOfCache(const AskedOfCache&) = delete;
  AskedOfCache& operator=(const AskedOfCache&) = delete;

  bool is_good() const { return is_good_; }
  exchange::Request& request() { return request_; }

 private:
  std::string text_;
  Arena arena_;
  exchange::Client client_;
  exchange::Request request_;
  bool is_good_ = false;
};

Answer not_by_cache(const std::string& reason) { return json_answer({{"answer", "miss"}, {"reason", reason}}); }

std::string pass_text(std::string_view why) {
  if (why == "bypass") return "the cache is passed by: a condition of the route's bypass holds";
  if (why == "method") return "the cache is passed by: an upgrade or content is the upstream's to answer";
  return "the cache is passed by: If-Match and If-Unmodified-Since are the upstream's to decide (RFC 9111 4.3.2)";
}

// Whatever is on the disk of one key: bounded all the same.
constexpr std::size_t kOnDiskMax = 1000;

struct Stored {
  std::vector<cache::WhyCandidate> candidates;
  std::vector<CachedObject> objects;
  std::size_t in_memory = 0;  // so many of them; those on the disk follow
};

// All of the URL, whatever their routes.
Stored stored_in_memory(storage::MemoryStore& memory, std::string_view url) {
  Stored stored;
  memory.for_each([&](const storage::MemoryStore::Row& row) {
    if (row.entry->meta().url() != url || row.entry->content()->has_failed()) return;
    stored.candidates.push_back({row.entry});
    stored.objects.push_back(object_of(row));
  });
  stored.in_memory = stored.objects.size();
  return stored;
}

// This thread waits for the disk as it does for what a reload reads.
Result<bool> add_from_disk(Stored& stored, const std::string& path, const cache::Key& key) {
  return storage::visit_disk(path, key.digest, {[&](const storage::DiskRow& row) {
                               if (row.head.meta.key != key.text) return true;
                               auto entry =
                                   std::make_shared<const cache::Entry>(row.head.meta, cache::Content::whole({}));
                               if (row.is_stale) entry->mark_stale();
                               stored.objects.push_back({entry->meta(), row.size(), 0, true, row.is_stale});
                               stored.candidates.push_back({std::move(entry), row.is_purged});
                               return stored.objects.size() - stored.in_memory < kOnDiskMax;
                             }});
}

Json notes_of(const exchange::Request& request, const proxy::ForwardAction& action,
              const proxy::CacheConditions& conditions) {
  Json notes = Json::array();
  if (!conditions.may_store(request)) notes.push_back("a condition of no_store holds: its answer is not stored");
  if (action.cache.slice.bytes != 0) {
    notes.push_back(fmt::format("large answers are stored by slices of {}, each an answer of its own",
                                to_string(action.cache.slice)));
  }
  return notes;
}

Answer why_of(exchange::Request& request, const config::Route& route, const proxy::ForwardAction& action,
              storage::Cache& cache) {
  const proxy::CacheConditions conditions(action.cache);
  if (const auto why = conditions.reason_to_pass(request); !why.empty()) return not_by_cache(pass_text(why));
  const cache::Key key =
      cache.shared_key(proxy::cache_key(request, proxy::cache_scope(action), action.cache), *request.arena);
  cache::WhyAsked asked{key, request.head.fields, {}, cache::wanted_range(request.head)};
  if (action.cache.policy.client_control) asked.directives = cache::RequestDirectives::of(request.head.fields);
  Json notes = notes_of(request, action, conditions);
  Stored stored = stored_in_memory(cache.memory(), cache::url_of(key.text));
  const std::int64_t now = wall_ms();
  cache::Why why = cache::why(asked, stored.candidates, now);
  if (!why.chosen && cache.may_be_on_disk(key.digest)) {
    if (const auto read = add_from_disk(stored, cache.disk()->path(), key); !read) {
      notes.push_back(fmt::format("the disk can't be read: {}", describe(read.error())));
    }
    why = cache::why(asked, stored.candidates, now);
  }
  Json json = cache_why_view(asked, why, stored.objects, now);
  for (std::size_t i = 0; i < stored.objects.size(); ++i) {
    json["stored"][i]["tier"] = i < stored.in_memory ? "memory" : "disk";
  }
  json["route"] = route.rule.name;
  if (!notes.empty()) json["notes"] = std::move(notes);
  return json_answer(json);
}

}  // namespace

Answer why_cache(Call& call) {
  const auto& cache = call.subject.serving.cache;
  if (cache == nullptr) return problem(404, "no route has a cache");
  std::string url;
  std::vector<std::string> fields;
  Members members(call.content);
  members.text("url", url);
  members.texts("fields", fields);
  if (auto wrong = members.complaint()) return *wrong;
  const config::Config& config = *call.subject.serving.config;
  AskedOfCache asked(url, fields, config);
  if (!asked.is_good()) {
    return problem(400, "url is one such as \"https://shop.com/a.png\", fields are such as \"Accept: image/png\"");
  }
  std::vector<route::Rule> rules;
  for (const auto& route : config.routes) rules.push_back(route.rule);
  std::vector<route::RuleProblem> problems;  // known since it was loaded
  const route::Router router(rules, problems);
  const auto choice = proxy::choose_route(router, config.client.paths, asked.request());
  if (!choice.route || choice.is_disguised) return not_by_cache("no route matches it");
  const config::Route& route = config.routes[*choice.route];
  const auto* forward = std::get_if<proxy::ForwardAction>(&route.action);
  if (forward == nullptr || !forward->cache.enabled) {
    return not_by_cache(fmt::format("its route has no cache: {}", route.rule.name));
  }
  return why_of(asked.request(), route, *forward, *cache);
}

}  // namespace rproxy::admin
