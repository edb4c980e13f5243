#include "cache/why.h"

#include <fmt/format.h>

#include <algorithm>

#include "cache/fit.h"
#include "cache/reuse.h"

namespace rproxy::cache {
namespace {

using Reason = Reuse::Reason;

std::string quoted(const std::string& normalized) {
  if (normalized.empty()) return "none";
  return normalized == "," ? "an empty one" : fmt::format("\"{}\"", normalized);
}

std::string range_text(const http::ContentRange& part) {
  return fmt::format("bytes {}-{} of {}", part.range.first, part.range.last, part.size.value_or(0));
}

// Names and both values of what differs.
std::string variant_difference(const Variant& variant, const http::Fields& request) {
  std::string text;
  for (const VaryField& field : variant) {
    if (matches({field}, request)) continue;
    if (!text.empty()) text += "; ";
    text += fmt::format("{}: stored for {}, asked with {}", field.name, quoted(field.value),
                        quoted(normalized(request, field.name)));
  }
  return "it varies by what this request has otherwise (RFC 9111 4.1): " + text;
}

std::string misfit_text(const WhyAsked& asked, const Meta& meta) {
  switch (misfit_of(meta, asked.key, asked.request, asked.range)) {
    case Misfit::kNone:
      break;
    case Misfit::kKey:
      return fmt::format("its key is another: {}", meta.key);
    case Misfit::kExtras:
      return fmt::format("the key has more than the URL, and that differs: stored{}, asked{}",
                         meta.extras.empty() ? " without" : meta.extras,
                         asked.key.extras.empty() ? " without" : asked.key.extras);
    case Misfit::kPart:
      return fmt::format("it is a part, {}, and {} (RFC 9111 3.3)", range_text(*meta.part),
                         asked.range ? "has not all of the range" : "the whole is asked for");
    case Misfit::kVariant:
      return variant_difference(meta.variant, asked.request);
  }
  return {};
}

// Which of its directives lets nobody have it stale.
std::string_view forbids_stale(const Entry& entry) {
  const auto directives = ResponseDirectives::of(entry.fields());
  if (directives.must_revalidate) return "must-revalidate (RFC 9111 5.2.2.2) forbids it so";
  if (directives.proxy_revalidate) return "proxy-revalidate (RFC 9111 5.2.2.8) forbids it so";
  if (directives.s_maxage) return "s-maxage (RFC 9111 5.2.2.10) forbids it so";
  return "its terms forbid it so (RFC 9111 4.2.4)";
}

std::string stale_detail(const Entry& entry, const RequestDirectives& asked, std::int64_t now_ms) {
  const Meta& meta = entry.meta();
  const std::int64_t since = std::max<std::int64_t>(-entry.fresh_for(now_ms), 0);
  std::string text = entry.is_marked_stale() ? std::string() : fmt::format("for {} s, ", since);
  if (meta.must_revalidate) return text + "and " + std::string(forbids_stale(entry));
  if (asked.max_stale && !entry.is_marked_stale())
    return text + fmt::format("and the client takes no more than {} s of that", *asked.max_stale);
  if (meta.stale_while_revalidate > 0)
    return text +
           fmt::format("longer than the {} s of stale-while-revalidate (RFC 5861 3)", meta.stale_while_revalidate);
  return text + "and nothing allows it so";
}

std::string detail(const Entry& entry, Reason reason, const RequestDirectives& asked, std::int64_t now_ms) {
  const std::int64_t fresh_for = entry.fresh_for(now_ms);
  switch (reason) {
    case Reason::kFresh:
      return fmt::format("for {} s more", fresh_for);
    case Reason::kClientTakesStale:
    case Reason::kWhileRevalidate:
      return entry.is_marked_stale() ? "purged softly" : fmt::format("for {} s", std::max<std::int64_t>(-fresh_for, 0));
    case Reason::kStale:
    case Reason::kMarkedStale:
      return stale_detail(entry, asked, now_ms);
    case Reason::kClientMaxAge:
      return fmt::format("{} s at most, and it is {} s old", *asked.max_age, entry.age(now_ms));
    case Reason::kClientMinFresh:
      return fmt::format("{} s more, and it is so for {} s", *asked.min_fresh, std::max<std::int64_t>(fresh_for, 0));
    case Reason::kNoCache:
    case Reason::kClientNoCache:
      break;
  }
  return {};
}

// The earliest of what would end it.
std::int64_t hit_until(const Entry& entry, Reason reason, const RequestDirectives& asked) {
  const Meta& meta = entry.meta();
  std::int64_t seconds = meta.freshness.lifetime;
  if (reason == Reason::kFresh && asked.min_fresh) seconds -= *asked.min_fresh;
  if (reason == Reason::kClientTakesStale) seconds += *asked.max_stale;
  if (reason == Reason::kWhileRevalidate) seconds += meta.stale_while_revalidate;
  if (asked.max_age) seconds = std::min(seconds, *asked.max_age);
  return meta.received_ms + (seconds - meta.initial_age) * 1000;
}

// Of several that fit the newest (RFC 9111 4.1), but a whole one before parts: as the stores choose.
bool is_better(const Meta& meta, const Meta& than) {
  if (meta.part.has_value() != than.part.has_value()) return !meta.part.has_value();
  return meta.received_ms >= than.received_ms;
}

void choose(const WhyAsked& asked, const std::vector<WhyCandidate>& candidates, Why& out) {
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const Meta& meta = candidates[i].entry->meta();
    out.misfits.push_back(candidates[i].is_purged ? "it has been purged" : misfit_text(asked, meta));
    if (!out.misfits.back().empty()) continue;
    if (!out.chosen || is_better(meta, candidates[*out.chosen].entry->meta())) out.chosen = i;
  }
}

std::string nothing_fits(const WhyAsked& asked, const Why& out) {
  if (out.misfits.empty()) return fmt::format("nothing is stored of {}", url_of(asked.key.text));
  if (out.misfits.size() == 1) return out.misfits.front();
  return fmt::format("none of the {} answers that are stored fits", out.misfits.size());
}

}  // namespace

std::string_view to_string(Why::Answer answer) {
  switch (answer) {
    case Why::Answer::kHit:
      return "hit";
    case Why::Answer::kHitWhileValidating:
      return "hit, validated meanwhile";
    case Why::Answer::kValidate:
      return "stored, to be validated first";
    case Why::Answer::kMiss:
      break;
  }
  return "miss";
}

Why why(const WhyAsked& asked, const std::vector<WhyCandidate>& candidates, std::int64_t now_ms) {
  Why out;
  choose(asked, candidates, out);
  if (out.chosen) {
    const Entry& entry = *candidates[*out.chosen].entry;
    const Reuse reuse = reuse_of(entry, asked.directives, now_ms);
    out.answer = reuse.use == Use::kServe                  ? Why::Answer::kHit
                 : reuse.use == Use::kServeWhileValidating ? Why::Answer::kHitWhileValidating
                                                           : Why::Answer::kValidate;
    out.reason = explain(reuse.reason);
    if (const auto more = detail(entry, reuse.reason, asked.directives, now_ms); !more.empty()) {
      out.reason += ": " + more;
    }
    if (reuse.use != Use::kValidate) out.until_ms = hit_until(entry, reuse.reason, asked.directives);
  } else {
    out.reason = nothing_fits(asked, out);
  }
  const bool is_hit = out.answer == Why::Answer::kHit || out.answer == Why::Answer::kHitWhileValidating;
  if (asked.directives.only_if_cached && !is_hit) {
    out.reason += "; the client wants nothing else: it gets 504 (only-if-cached, RFC 9111 5.2.1.7)";
  }
  return out;
}

std::int64_t fresh_until_ms(const Meta& meta) {
  return meta.received_ms + (meta.freshness.lifetime - meta.initial_age) * 1000;
}

std::vector<FreshnessTerm> freshness_terms(const Meta& meta, bool is_marked_stale, std::int64_t now_ms) {
  const std::int64_t age = age_of(meta, now_ms);
  const std::int64_t left = meta.freshness.lifetime - age;
  std::vector<FreshnessTerm> terms;
  terms.push_back({"lifetime", fmt::format("{} s, of {}", meta.freshness.lifetime, to_string(meta.freshness.source))});
  terms.push_back(
      {"age", fmt::format("{} s: {} when it came, {} here since", age, meta.initial_age, age - meta.initial_age)});
  terms.push_back({"left", fmt::format("{} - {} = {} s: {}", meta.freshness.lifetime, age, left,
                                       is_marked_stale ? "stale all the same, it has been purged softly"
                                       : left > 0      ? "fresh"
                                                       : "stale")});
  if (meta.no_cache) terms.push_back({"no-cache", "validated before each use (RFC 9111 5.2.2.4)"});
  if (meta.must_revalidate) terms.push_back({"revalidate", "never given stale (RFC 9111 5.2.2.2)"});
  const auto allowance = [&](const char* name, std::int64_t seconds, const char* when) {
    if (seconds == 0) return;
    const bool is_void = meta.must_revalidate || meta.no_cache;
    terms.push_back({name, fmt::format("{} s more, {}{}", seconds, when, is_void ? "; void by the above" : "")});
  };
  allowance("swr", meta.stale_while_revalidate, "while it is validated (RFC 5861 3)");
  allowance("sie", meta.stale_if_error, "where the upstream fails (RFC 5861 4)");
  return terms;
}

}  // namespace rproxy::cache
