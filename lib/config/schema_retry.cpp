// The keys of [upstreams.NAME.retry].
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "config/schema.h"
#include "http/characters.h"

namespace rproxy::config {
namespace {

using R = upstream::RetryOptions;
using On = upstream::RetryOn;

constexpr std::int64_t kAttemptsMax = std::numeric_limits<std::uint32_t>::max();

constexpr std::pair<const char*, bool On::*> kEvents[] = {{"connect_failure", &On::connect_failure},
                                                          {"refused_stream", &On::refused_stream},
                                                          {"reset", &On::reset},
                                                          {"timeout", &On::timeout}};
constexpr const char* kOnRemedy =
    "\"connect_failure\", \"refused_stream\", \"reset\", \"timeout\", a status such as \"502\", or \"5xx\"";

// "502" one status, "5xx" a hundred of them; nothing where it is neither.
std::optional<std::pair<std::size_t, std::size_t>> parse_statuses(std::string_view text) {
  if (text == "4xx") return std::pair<std::size_t, std::size_t>(400, 499);
  if (text == "5xx") return std::pair<std::size_t, std::size_t>(500, 599);
  std::size_t status = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), status);
  if (error != std::errc() || end != text.data() + text.size() || status < 400 || status > 599) return std::nullopt;
  return std::pair(status, status);
}

void decode_on_word(Problems& problems, const Node& written, On& out) {
  Node node = written;
  if (node.is(Node::Kind::kInteger)) {
    node.kind = Node::Kind::kString;
    node.text = std::to_string(node.integer);
  }
  if (node.is_broken || !expect(problems, node, Node::Kind::kString, "a word", kOnRemedy)) return;
  const auto event = std::ranges::find(kEvents, node.text, [](const auto& each) { return std::string(each.first); });
  if (event != std::end(kEvents)) {
    out.*event->second = true;
  } else if (const auto statuses = parse_statuses(node.text)) {
    for (std::size_t status = statuses->first; status <= statuses->second; ++status) out.statuses.set(status);
  } else {
    problems.error("RP1004", node.at, fmt::format("nothing to try again on: {}", shown(node)), kOnRemedy);
  }
}

void decode_on(Problems& problems, const Node& node, R& out) {
  out.on = {false, false, false, false, {}};
  if (node.is(Node::Kind::kString) || node.is(Node::Kind::kInteger)) return decode_on_word(problems, node, out.on);
  if (!expect(problems, node, Node::Kind::kArray, "an array of words", kOnRemedy)) return;
  for (const Node& item : node.items) decode_on_word(problems, item, out.on);
}

std::string render_on(const R& options) {
  std::vector<std::string> words;
  for (const auto& [word, event] : kEvents) {
    if (options.on.*event) words.emplace_back(word);
  }
  for (std::size_t status = 0; status < options.on.statuses.size(); ++status) {
    if (options.on.statuses.test(status)) words.push_back(std::to_string(status));
  }
  return render_value(words);
}

void decode_methods(Problems& problems, const Node& node, R& out) {
  decode_value(problems, node, out.methods);
  const auto check = [&problems](const Node& item) {
    if (!item.is(Node::Kind::kString) || item.is_broken) return;
    const bool has_lower = std::ranges::any_of(item.text, [](char c) { return c >= 'a' && c <= 'z'; });
    if (http::is_token(item.text) && !has_lower) return;
    problems.error("RP1004", item.at, fmt::format("not a method: {}", shown(item)), "methods are upper case: \"GET\"");
  };
  check(node);
  for (const Node& item : node.items) check(item);
}

using H = upstream::HedgeOptions;

// "p95": at this quantile; "50ms": after this time.
void decode_after(Problems& problems, const Node& node, H& out) {
  constexpr const char* kRemedy = "\"p50\" to \"p99\", such as \"p95\", or a time such as \"50ms\"";
  if (!expect(problems, node, Node::Kind::kString, "a quantile or a time", kRemedy)) return;
  if (node.text.starts_with('p')) {
    unsigned percent = 0;
    const char* const end = node.text.data() + node.text.size();
    const auto [rest, error] = std::from_chars(node.text.data() + 1, end, percent);
    if (error == std::errc() && rest == end && percent >= 50 && percent <= 99) {
      out.quantile = percent / 100.0;
      out.after = Duration{0};
    } else {
      problems.error("RP1004", node.at, fmt::format("not a quantile: {}", shown(node)), kRemedy);
    }
    return;
  }
  decode_value(problems, node, out.after);
  if (node.is_broken || out.after.count() != 0) return;
  problems.error("RP1004", node.at, "a second try at once would double every request", kRemedy);
}

constexpr Key<H> kHedge[] = {
    {"after", "string", "a quantile of how long answers take, or a time", decode_after,
     [](const H& o) {
       if (o.after.count() != 0) return render_value(o.after);
       return quote_toml(fmt::format("p{:.0f}", o.quantile * 100));
     }},
    ranged<1, 100'000, &H::max>("max", "second tries at once, per worker"),
};

void decode_hedge(Problems& problems, const Node& node, R& out) {
  out.hedge.reset();
  if (node.is(Node::Kind::kBool) && !node.flag) return;
  out.hedge.emplace();
  if (node.is(Node::Kind::kBool)) return;
  if (node.is(Node::Kind::kString)) return decode_after(problems, node, *out.hedge);
  decode_table<H>(problems, node, "hedge", kHedge, *out.hedge);
}

constexpr Key<R> kRetry[] = {
    ranged<1, kAttemptsMax, &R::attempts>("attempts", "in all, the first included"),
    {"on", "strings or integers", "connect_failure, refused_stream, reset, timeout, statuses such as 503, \"5xx\"",
     decode_on, render_on},
    {"methods", "strings", "what may be processed twice; empty: GET, HEAD, OPTIONS, TRACE, PUT, DELETE", decode_methods,
     [](const R& o) { return render_value(o.methods); }},
    key<&R::per_try_timeout>("per_try_timeout",
                             "for one attempt to have an answer's head; 0: none; set, on has \"timeout\" by default"),
    sized<0, std::uint64_t{1} << 30, &R::max_body>("max_body", "content of a request kept for another attempt"),
    special<R>(
        "hedge", "boolean, string or table",
        "a second try at another server where the first takes long, for what may be processed twice: \"p95\", or "
        "{ after, max }",
        decode_hedge),
    ranged<0, 100, &R::budget_percent>("budget_percent", "retries as a share of requests"),
    key<&R::budget_min>("budget_min", "always allowed in ten seconds"),
};

}  // namespace

Keys<R> retry_keys() { return kRetry; }
Keys<H> hedge_keys() { return kHedge; }

void decode_retry(Problems& problems, const Node& node, R& out) {
  if (node.is(Node::Kind::kBool) && !node.flag) {
    out.attempts = 1;
    return;
  }
  decode_table<R>(problems, node, "retry", kRetry, out);
  // Who bounds an attempt wants another after it.
  if (node.find("on") == nullptr && out.per_try_timeout.count() != 0) out.on.timeout = true;
}

}  // namespace rproxy::config
