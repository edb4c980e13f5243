// `hsts`: Strict-Transport-Security (RFC 6797).
#include <fmt/format.h>

#include <chrono>
#include <string>

#include "config/schema.h"

namespace rproxy::config {
namespace {

constexpr std::chrono::hours kYear{24 * 365};

using H = HstsDraft;
constexpr Key<H> kHsts[] = {
    key<&H::max_age>("max_age", "how long browsers remember it"),
    key<&H::include_subdomains>("include_subdomains", "for all hosts below this one, too"),
    key<&H::preload>("preload", "browsers may ship it; needs include_subdomains and a year, and is hard to take back"),
};

void check_hsts(Problems& problems, const Node& node, const H& hsts) {
  if (!hsts.preload || (hsts.include_subdomains && hsts.max_age >= kYear)) return;
  problems.error("RP1006", node.at, "preload takes include_subdomains and a max_age of a year",
                 "include_subdomains = true and max_age = \"365d\", or delete preload");
}

}  // namespace

Keys<HstsDraft> hsts_keys() { return kHsts; }

void decode_hsts(Problems& problems, const Node& node, std::string& out) {
  HstsDraft hsts;
  if (node.is(Node::Kind::kBool)) {
    if (!node.flag) return out.clear();
  } else if (node.is(Node::Kind::kString) || node.is(Node::Kind::kInteger)) {
    decode_value(problems, node, hsts.max_age);
  } else {
    decode_table<H>(problems, node, "hsts", kHsts, hsts);
    if (node.is_whole()) check_hsts(problems, node, hsts);
  }
  out = fmt::format("max-age={}{}{}", std::chrono::duration_cast<std::chrono::seconds>(hsts.max_age).count(),
                    hsts.include_subdomains ? "; includeSubDomains" : "", hsts.preload ? "; preload" : "");
}

}  // namespace rproxy::config
