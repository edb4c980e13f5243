// What a cached answer is found by: "shop https://shop.com/images/a.png?w=20". What else the policy adds to that tells the answers of one
// URL from each other, beside Vary.
#pragma once

#include <string>
#include <string_view>

#include "base/arena.h"
#include "cache/digest.h"
#include "cache/policy.h"
#include "http/message.h"

namespace rproxy::cache {

struct Key {
  std::string_view text;
  std::string_view extras;  // " x-device:mobile cookie:lang=de"
  Digest digest;            // of the text
};

// `scope`: what keeps apart the answers of routes that would send the same URL elsewhere; a word without spaces. `authority` and `path` as
// the client sent them, normalised. In the arena.
Key make_key(std::string_view scope, const KeyOptions& options, const http::RequestHead& request,
             std::string_view authority, std::string_view path, Arena& arena);

// The headers and cookies that extras are made of: what a tool that knows no configuration can read off what is stored.
KeyOptions options_in(std::string_view extras);

// The URL in a key's text, and what stands before it.
std::string_view url_of(std::string_view key_text);
std::string_view scope_of(std::string_view key_text);

// A query as the options have it; in the arena where it differs.
std::string_view keyed_query(const KeyOptions& options, std::string_view query, Arena& arena);

// "SHOP.com:443" of https is "shop.com". In the arena where it differs.
std::string_view keyed_authority(std::string_view scheme, std::string_view authority, Arena& arena);

}  // namespace rproxy::cache
