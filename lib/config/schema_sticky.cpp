// The keys that keep clients where they are, spread them over upstreams, and copy what they send: sticky, split, mirror.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>

#include "config/schema.h"
#include "http/characters.h"

namespace rproxy::config {
namespace {

void decode_cookie_name(Problems& problems, const Node& node, std::string& out) {
  if (!expect(problems, node, Node::Kind::kString)) return;
  if (http::is_token(node.text)) {
    out = node.text;
  } else {
    problems.error("RP1004", node.at, fmt::format("not a cookie's name: {}", shown(node)),
                   "letters, digits, '_' and '-'");
  }
}

using S = upstream::StickyOptions;

// Shorter ones can be guessed.
constexpr std::size_t kSecretMin = 16;

void decode_secret(Problems& problems, const Node& node, S& out) {
  if (!expect(problems, node, Node::Kind::kString)) return;
  out.secret = node.text;
  if (node.text.size() >= kSecretMin) return;
  problems.error("RP1004", node.at, fmt::format("a secret of {} bytes can be guessed", node.text.size()),
                 fmt::format("at least {}, such as `openssl rand -hex 32` gives", kSecretMin));
}

void decode_cookie_path(Problems& problems, const Node& node, S& out) {
  if (!expect(problems, node, Node::Kind::kString)) return;
  const bool is_path = node.text.starts_with('/') &&
                       std::ranges::all_of(node.text, [](char c) { return c > ' ' && c < '\x7f' && c != ';'; });
  if (is_path) {
    out.path = node.text;
  } else {
    problems.error("RP1004", node.at, fmt::format("not a cookie's path: {}", shown(node)),
                   "such as \"/\" or \"/shop\"");
  }
}

constexpr Key<S> kSticky[] = {
    {"cookie", "string", "its name", [](Problems& p, const Node& n, S& o) { decode_cookie_name(p, n, o.cookie); },
     [](const S& o) { return render_value(o.cookie); }},
    key<&S::lifetime>("lifetime", "from when a client was given its server; 0: the browser's session"),
    special<S>("secret", "string",
               "signs the cookie, the same for all proxies of a site; default: random, so that a restart forgets who "
               "belongs where",
               decode_secret),
    {"path", "string", "where the browser sends it", decode_cookie_path,
     [](const S& o) { return render_value(o.path); }},
    key<&S::secure>("secure", "only ever over https; false: where the request came so"),
};

using P = proxy::SplitOptions::Part;

constexpr Key<P> kPart[] = {
    special<P>("upstream", "string", "the name of an [upstreams.NAME]",
               [](Problems& p, const Node& n, P& o) { decode_value(p, n, o.upstream); }),
    ranged<0, 1'000'000, &P::weight>("weight", "its share of the requests, of the sum of all"),
};

using Split = proxy::SplitOptions;

void check_parts(Problems& problems, const Node& node, const Split& split) {
  std::uint64_t total = 0;
  std::set<std::string> names;
  for (std::size_t i = 0; i < split.parts.size(); ++i) {
    total += split.parts[i].weight;
    if (!names.insert(split.parts[i].upstream).second) {
      problems.error("RP1006", node.items[i].at, "the upstream is in the split twice", "add up the weights");
    }
  }
  if (total == 0) problems.error("RP1004", node.at, "nobody has a share", "give one a weight of 1");
}

using K = proxy::ForwardAction;

constexpr const char* kStickyRemedy =
    "\"client_ip\", \"cookie\", { cookie = \"NAME\", lifetime = \"1d\" }, or false: each request anew";

constexpr Key<Split> kSplitCookie[] = {
    {"cookie", "string", "its name", [](Problems& p, const Node& n, Split& o) { decode_cookie_name(p, n, o.cookie); },
     [](const Split& o) { return render_value(o.cookie); }},
    key<&Split::lifetime>("lifetime", "of the cookie; 0: the browser's session"),
};

void decode_split_cookie(Problems& problems, const Node& node, Split& out) {
  out.by = Split::By::kCookie;
  decode_table<Split>(problems, node, "sticky", kSplitCookie, out);
}

using M = proxy::MirrorOptions;
constexpr Key<M> kMirror[] = {
    special<M>("upstream", "string", "who gets the copies: the name of an [upstreams.NAME]",
               [](Problems& p, const Node& n, M& o) { decode_value(p, n, o.upstream); }),
    ranged<0, 100, &M::percent>("percent", "of the requests"),
    sized<0, std::uint64_t{1} << 30, &M::max_body>("max_body", "requests with more content are left out"),
    ranged<1, 100'000, &M::max>("max", "copies at once, per route and worker; more are left out"),
    key<&M::timeout>("timeout", "for one copy, to the end of its answer"),
};

}  // namespace

Keys<upstream::StickyOptions> sticky_keys() { return kSticky; }
Keys<proxy::SplitOptions::Part> split_keys() { return kPart; }
Keys<proxy::SplitOptions> split_cookie_keys() { return kSplitCookie; }
Keys<proxy::MirrorOptions> mirror_keys() { return kMirror; }

void decode_sticky(Problems& problems, const Node& node, upstream::Options& out) {
  out.sticky.reset();
  if (node.is(Node::Kind::kBool) && !node.flag) return;
  out.sticky.emplace();
  if (!node.is(Node::Kind::kBool)) decode_table<S>(problems, node, "sticky", kSticky, *out.sticky);
}

void decode_split(Problems& problems, const Node& node, K& out) {
  constexpr const char* kRemedy = "split = [{ upstream = \"a\", weight = 95 }, { upstream = \"b\", weight = 5 }]";
  Split& split = out.split.emplace();
  if (!expect(problems, node, Node::Kind::kArray, "an array of { upstream, weight }", kRemedy)) return;
  if (node.items.empty()) return problems.error("RP1005", node.at, "split is empty", kRemedy);
  const std::size_t before = problems.errors();
  for (const Node& item : node.items) {
    P part;
    if (!expect(problems, item, Node::Kind::kTable, "a share", kRemedy)) continue;
    decode_table<P>(problems, item, "a share", kPart, part);
    if (lacks(item, "upstream", names_of(split_keys()))) {
      problems.error("RP1005", item.at, "a share needs upstream", kRemedy);
    }
    split.parts.push_back(std::move(part));
  }
  if (problems.errors() == before && node.is_whole()) check_parts(problems, node, split);
}

void decode_split_sticky(Problems& problems, const Node& node, Split& out) {
  if (node.is(Node::Kind::kTable)) return decode_split_cookie(problems, node, out);
  if (node.is(Node::Kind::kBool)) {
    out.by = node.flag ? Split::By::kCookie : Split::By::kRequest;
    return;
  }
  if (!expect(problems, node, Node::Kind::kString, "a way", kStickyRemedy)) return;
  const int word = decode_word(problems, node, {kSplitKeys.begin(), kSplitKeys.end()});
  if (word >= 0) out.by = word == 0 ? Split::By::kClientIp : Split::By::kCookie;
}

void decode_mirror(Problems& problems, const Node& node, K& out) {
  out.mirror.emplace();
  if (node.is(Node::Kind::kString)) {
    out.mirror->upstream = node.text;
    return;
  }
  decode_table<M>(problems, node, "mirror", kMirror, *out.mirror);
  if (node.is(Node::Kind::kTable) && lacks(node, "upstream", names_of(mirror_keys()))) {
    problems.error("RP1005", node.at, "a mirror needs upstream", "mirror = { upstream = \"shadow\", percent = 10 }");
  }
}

}  // namespace rproxy::config
