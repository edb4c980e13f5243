// The keys of caches: [cache], and what a route does with it.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "config/schema.h"
#include "http/characters.h"

namespace rproxy::config {
namespace {

using C = storage::Options;

constexpr std::uint64_t kMemoryMin = std::uint64_t{1} << 20;
constexpr std::uint64_t kMemoryMax = std::uint64_t{1} << 40;

using D = storage::DiskOptions;

constexpr Key<D> kDisk[] = {
    special<D>("path", "path", "the directory; made if it is not there, and of one process at a time",
               [](Problems& p, const Node& n, D& o) { decode_file(p, n, o.path); }),
    sized<kMemoryMin, std::uint64_t{1} << 50, &D::bytes_max>("size", "what files may take, in whole blocks of 4 KiB"),
    ranged<1, 1'000'000'000, &D::files_max>("max_files", "how many they may be: each takes 48 bytes of memory"),
    sized<1024, std::uint64_t{1} << 44, &D::object_max>("max_object", "larger answers are not on the disk"),
    ranged<1, 64, &D::threads>("threads", "that wait for the disk, so that no worker does"),
};

void decode_disk(Problems& problems, const Node& node, C& out) {
  out.disk.emplace();
  if (node.is(Node::Kind::kString)) {
    decode_file(problems, node, out.disk->path);
  } else if (expect(problems, node, Node::Kind::kTable, "a directory or a table", "disk = \"/var/cache/rproxy\"")) {
    decode_table<D>(problems, node, "[cache.disk]", kDisk, *out.disk);
    if (!lacks(node, "path", names_of(Keys<D>(kDisk)))) return;
    problems.error("RP1005", node.at, "[cache.disk] needs path", "path = \"/var/cache/rproxy\"");
  }
}

constexpr Key<C> kCache[] = {
    sized<kMemoryMin, kMemoryMax, &C::memory>("memory", "for answers, heads and all that finds them included"),
    sized<1024, std::uint64_t{1} << 34, &C::object_max>("max_object", "larger answers are not in memory"),
    key<&C::private_for>("private_for",
                         "how long requests for what turned out to be uncacheable don't wait for each other"),
    special<C>("disk", "path or table", "keeps answers on the disk as well, and larger ones there alone", decode_disk),
};

using O = proxy::CacheOptions;
using P = cache::Policy;

// A time that may be left out.
template <auto Member>
constexpr Key<O> time(std::string_view name, std::string_view meaning) {
  return {name, "duration", meaning,
          [](Problems& problems, const Node& node, O& out) {
            Duration value{0};
            decode_value(problems, node, value);
            out.policy.*Member = value;
          },
          nullptr};
}

using K = cache::KeyOptions;

constexpr std::array kQueries{"all", "sorted", "none"};

void decode_query(Problems& problems, const Node& node, K& out) {
  using Query = K::Query;
  if (node.is(Node::Kind::kBool)) {
    out.query = node.flag ? Query::kAll : Query::kNone;
  } else if (node.is(Node::Kind::kArray)) {
    decode_value(problems, node, out.parameters);
    out.query = Query::kOnly;
  } else if (node.is(Node::Kind::kTable)) {
    const Node* except = node.find("except");
    if (except == nullptr || node.members.size() != 1) {
      problems.error("RP1004", node.at, "not a choice of query parameters", "query = { except = [\"utm_source\"] }");
      return;
    }
    decode_value(problems, *except, out.parameters);
    out.query = Query::kExcept;
  } else {
    const int word = decode_word(problems, node, {kQueries.begin(), kQueries.end()});
    static constexpr Query kMeant[] = {Query::kAll, Query::kSorted, Query::kNone};
    if (word >= 0) out.query = kMeant[word];
  }
}

void decode_names(Problems& problems, const Node& node, const char* what, std::vector<std::string>& out) {
  decode_value(problems, node, out);
  for (const std::string& name : out) {
    if (http::is_token(name)) continue;
    problems.error("RP1004", node.at, fmt::format("not the name of a {}: {}", what, shown(node)),
                   "letters, digits, '-' and '_'");
    return;
  }
}

constexpr Key<K> kKey[] = {
    key<&K::scheme>("scheme", "http and https are two; false: one"),
    key<&K::host>("host", "each host its own; false: all hosts of the route share answers"),
    special<K>("query", "boolean, string, strings or table",
               "\"all\" as it is, \"sorted\", \"none\"; [names]: these alone, sorted; { except = [names] }",
               decode_query),
    special<K>("headers", "strings", "request headers whose values tell answers apart",
               [](Problems& p, const Node& n, K& o) { decode_names(p, n, "header", o.headers); }),
    special<K>("cookies", "strings", "cookies whose values tell answers apart",
               [](Problems& p, const Node& n, K& o) { decode_names(p, n, "cookie", o.cookies); }),
};

void decode_conditions(Problems& problems, const Node& node, std::vector<route::Match>& out) {
  constexpr const char* kRemedy = "such as [{ cookie = { session = true } }]";
  out.clear();
  if (!expect(problems, node, Node::Kind::kArray, "an array of conditions", kRemedy)) return;
  for (const Node& item : node.items) {
    route::Match match;
    decode_table<route::Match>(problems, item, "a condition", condition_keys(), match);
    if (item.is(Node::Kind::kTable) && item.members.empty()) {
      problems.error("RP1004", item.at, "a condition that asks nothing holds always", kRemedy);
    }
    out.push_back(std::move(match));
  }
}

constexpr ByteSize kSliceMin = 64_KiB;
constexpr ByteSize kSliceMax = 64_MiB;

void decode_slice(Problems& problems, const Node& node, ByteSize& out) {
  const auto size = decode_size(problems, node, ByteSize{0}, kSliceMax);
  if (!size) return;
  out = *size;
  if (size->bytes == 0 || *size >= kSliceMin) return;
  problems.error("RP1004", node.at, fmt::format("{} is too small a slice", render_value(*size)),
                 "0, or from 64KiB to 64MiB: each slice is a request of its own");
}

constexpr Key<O> kPolicy[] = {
    time<&P::ttl>("ttl", "good answers are fresh for so long, whatever they say of it; private ones stay private"),
    time<&P::default_ttl>("default_ttl", "where answers don't say; default: a tenth of their age, by Last-Modified"),
    time<&P::negative_ttl>("negative_ttl", "404, 405, 410, 414 and 501 that don't say"),
    time<&P::ttl_max>("max_ttl", "fresh no longer than that, whatever they say"),
    time<&P::grace>("grace",
                    "stale ones are served so long while they are validated, where they don't say "
                    "stale-while-revalidate"),
    time<&P::stale_if_error>("stale_if_error",
                             "and so long where the upstream fails, where they don't say stale-if-error"),
    ranged<1, 1000, &O::policy, &P::min_uses>("min_uses", "stored from so many requests on"),
    sized<0, std::uint64_t{1} << 34, &O::policy, &P::object_max>("max_object",
                                                                 "larger answers are not stored; 0: as [cache] says"),
    key<&O::policy, &P::client_control>("client_control", "heed the client's Cache-Control"),
    key<&O::policy, &P::store_cookies>("store_cookies", "store answers that set cookies and are not public, too"),
    {"slice", "size", "large objects are asked for, and stored, by ranges of that size; 0: as wholes",
     [](Problems& p, const Node& n, O& o) { decode_slice(p, n, o.slice); },
     [](const O& o) { return render_value(o.slice); }},
    key<&O::cache_status>("cache_status", "tell clients what the cache did, in Cache-Status (RFC 9211)"),
    special<O>("key", "table", "what tells answers apart: scheme, host, query, headers, cookies",
               [](Problems& p, const Node& n, O& o) { decode_table<K>(p, n, "key", kKey, o.policy.key); }),
    special<O>("bypass", "array of tables", "requests that have nothing to do with the cache: one of these holds",
               [](Problems& p, const Node& n, O& o) { decode_conditions(p, n, o.bypass); }),
    special<O>("no_store", "array of tables", "requests whose answers are not stored",
               [](Problems& p, const Node& n, O& o) { decode_conditions(p, n, o.no_store); }),
};

}  // namespace

Keys<storage::Options> cache_keys() { return kCache; }
Keys<storage::DiskOptions> cache_disk_keys() { return kDisk; }
Keys<proxy::CacheOptions> cache_policy_keys() { return kPolicy; }
Keys<cache::KeyOptions> cache_key_keys() { return kKey; }

void decode_cache(Problems& problems, const Node& node, proxy::CacheOptions& out) {
  out.enabled = true;
  if (node.is(Node::Kind::kBool)) {
    out.enabled = node.flag;
  } else if (node.is(Node::Kind::kString) || node.is(Node::Kind::kInteger)) {
    Duration ttl{0};
    decode_value(problems, node, ttl);
    out.policy.ttl = ttl;
  } else if (expect(problems, node, Node::Kind::kTable, "a time, a boolean or a table",
                    "cache = \"1d\", or { ttl = \"1d\", grace = \"1h\" }")) {
    decode_table<O>(problems, node, "cache", kPolicy, out);
  }
}

std::string render_cache(const proxy::CacheOptions& from) { return from.enabled ? "true" : "false"; }

}  // namespace rproxy::config
