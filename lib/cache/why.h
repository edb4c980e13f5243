// Whether a request would be answered from what is stored, and if not, what forbids it: what serves, told in words.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/directives.h"
#include "cache/entry.h"
#include "http/range.h"

namespace rproxy::cache {

struct WhyAsked {
  Key key;
  const http::Fields& request;
  RequestDirectives directives;  // none where the policy lets clients say nothing
  std::optional<http::RangeSpec> range;
};

struct WhyCandidate {
  EntryPtr entry;
  bool is_purged = false;  // and not gone yet
};

struct Why {
  enum class Answer : std::uint8_t { kHit, kHitWhileValidating, kValidate, kMiss };
  Answer answer = Answer::kMiss;
  std::string reason;                    // "it is stale (RFC 9111 4.2): for 35 s, and must-revalidate (...) forbids it"
  std::optional<std::size_t> chosen;     // of the candidates
  std::optional<std::int64_t> until_ms;  // a hit until then
  std::vector<std::string> misfits;      // what keeps each candidate from being it; empty: nothing
};
std::string_view to_string(Why::Answer answer);  // "hit"

// `candidates`: all that is stored of the URL.
Why why(const WhyAsked& asked, const std::vector<WhyCandidate>& candidates, std::int64_t now_ms);

// The arithmetic of its freshness (RFC 9111 4.2), a line for each term.
struct FreshnessTerm {
  std::string name;
  std::string value;
};
std::vector<FreshnessTerm> freshness_terms(const Meta& meta, bool is_marked_stale, std::int64_t now_ms);

// When it stops being fresh, by the wall clock.
std::int64_t fresh_until_ms(const Meta& meta);

}  // namespace rproxy::cache
