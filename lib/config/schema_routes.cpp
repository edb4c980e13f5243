#include <fmt/format.h>

#include <algorithm>

#include "config/schema.h"
#include "config/text.h"
#include "http/characters.h"
#include "http/fields.h"
#include "proxy/location_template.h"
#include "route/predicate.h"

namespace rproxy::config {
namespace {

using M = route::Match;
using Values = std::vector<route::ValueMatch>;

constexpr const char* kPatternRemedy = "patterns are RE2: no look-around, no back-references; brackets have their ends";

void check_pattern(Problems& problems, const Node& node) {
  std::string error;
  if (route::compile_regex(node.text, error) != nullptr) return;
  problems.error("RP1203", node.at,
                 is_secret(node) ? fmt::format("not a pattern: {}", shown(node)) : "pattern: " + error, kPatternRemedy);
}

// An empty part of a match looks as if it asked for something.
bool is_empty_part(Problems& problems, const Node& node, std::string_view name, const char* remedy) {
  const bool is_empty = (node.is(Node::Kind::kString) && node.text.empty()) ||
                        (node.is(Node::Kind::kArray) && node.items.empty()) ||
                        (node.is(Node::Kind::kTable) && node.members.empty());
  if (is_empty) problems.error("RP1208", node.at, fmt::format("{} is empty", name), remedy);
  return is_empty;
}

void decode_value_match(Problems& problems, const Member& member, Values& out) {
  using Kind = route::ValueMatch::Kind;
  const Node& node = member.value;
  if (node.is_broken || !node.is_whole()) return;
  route::ValueMatch match{member.key, Kind::kExact, {}, false};
  if (node.is(Node::Kind::kString)) {
    match.value = node.text;
    match.is_secret = is_secret(node);
  } else if (node.is(Node::Kind::kBool)) {
    match.kind = node.flag ? Kind::kPresent : Kind::kAbsent;
  } else if (node.is(Node::Kind::kTable) && node.members.size() == 1 && node.members[0].value.is(Node::Kind::kString) &&
             (node.members[0].key == "prefix" || node.members[0].key == "regex")) {
    match.kind = node.members[0].key == "prefix" ? Kind::kPrefix : Kind::kRegex;
    match.value = node.members[0].value.text;
    match.is_secret = is_secret(node.members[0].value);
    if (is_empty_part(problems, node.members[0].value, node.members[0].key, "write true for any value")) return;
    if (match.kind == Kind::kRegex) check_pattern(problems, node.members[0].value);
  } else {
    problems.error("RP1003", node.at, fmt::format("{} can't be matched by this", cut_text(member.key)),
                   "\"value\", true (there), false (not there), { prefix = \"...\" } or { regex = \"...\" }");
    return;
  }
  out.push_back(std::move(match));
}

void decode_values(Problems& problems, const Node& node, std::string_view name, Values& out) {
  if (is_empty_part(problems, node, name, "{ name = \"value\" }, or delete it")) return;
  if (!expect(problems, node, Node::Kind::kTable, "a table such as { name = \"value\" }")) return;
  for (const Member& member : node.members) decode_value_match(problems, member, out);
}

void decode_host(Problems& problems, const Node& node, M& out) {
  if (is_empty_part(problems, node, "host", "\"*\" for any host, or delete it")) return;
  decode_value(problems, node, out.host);
  std::ranges::transform(out.host, out.host.begin(), http::to_lower);
  if (out.host == "*") out.host.clear();
}

void decode_path(Problems& problems, const Node& node, M& out) {
  if (!expect(problems, node, Node::Kind::kString)) return;
  if (is_empty_part(problems, node, "path", "\"/*\" for any path, or delete it")) return;
  out.path = route::PathMatch::parse(node.text);
}

void decode_path_regex(Problems& problems, const Node& node, M& out) {
  if (!expect(problems, node, Node::Kind::kString)) return;
  if (is_empty_part(problems, node, "path_regex", "\".*\" for any path, or delete it")) return;
  out.path = {route::PathMatch::Kind::kRegex, node.text};
  check_pattern(problems, node);
}

void decode_client_ips(Problems& problems, const Node& node, M& out) {
  if (is_empty_part(problems, node, "client_ip", "name networks, such as [\"10.0.0.0/8\"], or delete it for any"))
    return;
  decode_value(problems, node, out.client_ips);
}

void decode_methods(Problems& problems, const Node& node, M& out) {
  if (is_empty_part(problems, node, "method", "name methods, such as [\"GET\", \"POST\"], or delete it for any"))
    return;
  decode_value(problems, node, out.methods);
  const auto check = [&problems](const Node& item) {
    if (!item.is(Node::Kind::kString) || item.is_broken) return;
    const bool has_lower = std::ranges::any_of(item.text, [](char c) { return c >= 'a' && c <= 'z'; });
    if (http::is_token(item.text) && !has_lower) return;
    problems.error("RP1004", item.at, fmt::format("not a method: {}", shown(item)), "methods are upper case: \"GET\"");
  };
  check(node);
  for (const Node& item : node.items) check(item);
  std::ranges::sort(out.methods);
}

constexpr Key<M> kMatch[] = {
    special<M>("host", "string", "\"shop.com\", \"*.shop.com\"; default: any", decode_host),
    special<M>("path", "string", "\"/images/*\" a prefix, \"/favicon.ico\" exact; default: any", decode_path),
    special<M>("path_regex", "string", "RE2, for the whole path", decode_path_regex),
    special<M>("method", "strings", "\"GET\" takes HEAD along", decode_methods),
    special<M>("header", "table of value matches", "name = \"value\", true, false, { prefix } or { regex }",
               [](Problems& p, const Node& n, M& o) { decode_values(p, n, "header", o.headers); }),
    special<M>("query", "table of value matches", "the same for query parameters",
               [](Problems& p, const Node& n, M& o) { decode_values(p, n, "query", o.query); }),
    special<M>("cookie", "table of value matches", "the same for cookies",
               [](Problems& p, const Node& n, M& o) { decode_values(p, n, "cookie", o.cookies); }),
    special<M>("client_ip", "strings", "networks, one of which the client is in", decode_client_ips),
};

void decode_match(Problems& problems, const Node& node, RouteDraft& out) {
  route::Match& match = out.route.rule.match;
  if (is_empty_part(problems, node, "match", "write \"*\" for everything")) return;
  if (node.is(Node::Kind::kString)) {
    match = M::parse_short(node.text);
    out.is_match_sound = true;
    return;
  }
  if (!expect(problems, node, Node::Kind::kTable, "a string or a table",
              "\"shop.com/*\", or { host = \"shop.com\", path = \"/*\" }"))
    return;
  const std::size_t before = problems.errors();
  decode_table<M>(problems, node, "match", kMatch, match);
  if (node.find("path") != nullptr && node.find("path_regex") != nullptr) {
    problems.error("RP1006", node.find("path_regex")->at, "match has both path and path_regex", "keep one of the two");
  }
  out.is_match_sound = problems.errors() == before;
}

using W = route::RewriteOptions;
constexpr Key<W> kRewrite[] = {
    key<&W::strip_prefix>("strip_prefix", "whole segments taken from the front"),
    key<&W::add_prefix>("add_prefix", "put in front"),
    key<&W::replace_path>("replace_path", "the whole path; the query stays"),
    key<&W::regex>("regex", "RE2; its first match is replaced"),
    key<&W::replacement>("replacement", "by this, with \\\\1 to \\\\9"),
};

std::string rewrite_remedy(std::string_view key) {
  if (key == "regex") return kPatternRemedy;
  if (key == "replacement") return "such as replacement = \"/new/\\\\1\"";
  if (key == "replace_path") return "such as replace_path = \"/index.html\", alone";
  return fmt::format("such as {} = \"/api\"", key);
}

void decode_rewrite(Problems& problems, const Node& node, RouteDraft& out) {
  const std::size_t before = problems.errors();
  decode_table<W>(problems, node, "rewrite", kRewrite, out.forward.rewrite);
  if (problems.errors() != before || !node.is_whole()) return;
  std::vector<route::RewriteProblem> found;
  route::Rewrite::compile(out.forward.rewrite, found);
  for (const auto& problem : found) {
    const Node* at = node.find(problem.key);
    const bool hides = at != nullptr && is_secret(*at);
    problems.error("RP1204", at != nullptr ? at->at : node.at,
                   fmt::format("{}: {}", problem.key, hides ? "no path comes of " + shown(*at) : problem.detail),
                   rewrite_remedy(problem.key));
  }
}

using Redirect = proxy::RedirectAction;

void decode_redirect_status(Problems& problems, const Node& node, Redirect& out) {
  const auto status = decode_integer(problems, node, 300, 399);
  if (!status) return;
  if (*status == 301 || *status == 302 || *status == 303 || *status == 307 || *status == 308) {
    out.status = static_cast<std::uint16_t>(*status);
  } else {
    problems.error("RP1004", node.at, fmt::format("{} is no redirect with a Location", *status),
                   "301, 302, 303, 307 or 308");
  }
}

constexpr Key<Redirect> kRedirect[] = {
    within<Redirect>({301, 308}, {"status", "integer", "301, 302, 303, 307 or 308", decode_redirect_status,
                                  [](const Redirect& o) { return render_value(o.status); }}),
    key<&Redirect::location>(
        "location", "a URL; may use {scheme}, {host} (without port), {path}, {query} and {uri} (path and query)"),
};

void decode_redirect(Problems& problems, const Node& node, RouteDraft& out) {
  Redirect& redirect = out.redirect.emplace();
  if (node.is(Node::Kind::kString)) {
    redirect.location = node.text;
  } else {
    decode_table<Redirect>(problems, node, "redirect", kRedirect, redirect);
  }
  const Node* location = node.is(Node::Kind::kTable) ? node.find("location") : &node;
  if (location == nullptr) {
    problems.error("RP1005", node.at, "a redirect needs location", "location = \"https://shop.com{uri}\"");
  } else if (!location->is(Node::Kind::kString)) {
    return;  // reported already
  } else if (auto compiled = proxy::LocationTemplate::compile(redirect.location); !compiled) {
    problems.error("RP1207", location->at, "redirect: " + compiled.error().context,
                   "such as \"https://shop.com{uri}\"; variables are {scheme} {host} {path} {query} {uri}");
  }
}

using Respond = proxy::RespondAction;

// What frames a message, and what is between two neighbours alone (RFC 9110 7.6.1).
bool is_ours(std::string_view name) {
  static constexpr std::string_view kNames[] = {"connection", "content-length", "keep-alive",        "proxy-connection",
                                                "te",         "trailer",        "transfer-encoding", "upgrade"};
  return std::ranges::any_of(kNames, [&](std::string_view ours) { return http::equals_ignoring_case(ours, name); });
}

// RFC 9110 15.3.5, 15.3.6 and 15.4.5: these have no content.
void check_content(Problems& problems, const Node& node, const Respond& respond) {
  const bool has_none = respond.status == 204 || respond.status == 205 || respond.status == 304;
  const Node* body = node.find("body");
  if (!has_none || body == nullptr || respond.body.empty()) return;
  problems.error("RP1006", body->at, fmt::format("an answer with status {} has no body", respond.status),
                 "delete the body, or take another status");
}

void decode_respond_headers(Problems& problems, const Node& node, Respond& out) {
  if (!expect(problems, node, Node::Kind::kTable, "a table such as { Name = \"value\" }")) return;
  for (const Member& member : node.members) {
    std::string value;
    decode_value(problems, member.value, value);
    if (!http::is_token(member.key)) {
      problems.error("RP1004", member.at, fmt::format("not a header name: {}", quote_toml(cut_text(member.key))),
                     "letters, digits and '-'");
    } else if (is_ours(member.key)) {
      problems.error("RP1210", member.at, fmt::format("{} is written by the proxy itself", member.key),
                     "delete it; it follows from the body and the connection");
    }
    if (!http::is_field_text(value)) {
      problems.error("RP1004", member.value.at, "a header value has no control characters",
                     "write it in one line, without \\n and the like");
    }
    out.headers.emplace_back(member.key, std::move(value));
  }
}

constexpr Bounds kStatuses{200, 599};

void decode_respond_status(Problems& problems, const Node& node, Respond& out) {
  const auto status = decode_integer(problems, node, kStatuses.min, kStatuses.max);
  if (status) out.status = static_cast<std::uint16_t>(*status);
}

constexpr Key<Respond> kRespond[] = {
    within<Respond>(kStatuses, {"status", "integer", "200 to 599", decode_respond_status,
                                [](const Respond& o) { return render_value(o.status); }}),
    key<&Respond::body>("body", "the content"),
    special<Respond>("headers", "table of strings", "Name = \"value\"", decode_respond_headers),
};

void decode_respond(Problems& problems, const Node& node, RouteDraft& out) {
  Respond& respond = out.respond.emplace();
  if (node.is(Node::Kind::kString)) {
    respond.body = node.text;
  } else if (node.is(Node::Kind::kInteger)) {
    decode_respond_status(problems, node, respond);
  } else {
    decode_table<Respond>(problems, node, "respond", kRespond, respond);
    check_content(problems, node, respond);
  }
}

void decode_upstream(Problems& problems, const Node& node, RouteDraft& out) {
  decode_value(problems, node, out.forward.upstream);
}

using D = proxy::ForwardAction;
constexpr Key<D> kDefaults[] = {
    key<&D::host>("host", "Host sent to the servers; empty: the client's"),
    key<&D::hide_backend>("hide_backend", "strip Server and the like, rewrite Location and cookie domains"),
    key<&D::proxy_status>("proxy_status", "tell what went wrong in Proxy-Status (RFC 9209)"),
    key<&D::request_timeout>("request_timeout",
                             "the whole request; 0: none; a gRPC client's grpc-timeout counts where it is shorter"),
    key<&D::grpc_web>("grpc_web", "let gRPC-Web clients (browsers) talk to gRPC servers"),
    one_of<kQueuePriorities, &D::queue_priority>(
        "queue_priority",
        "\"high\", \"normal\" or \"low\": who goes first where requests wait in their upstream's queue"),
    {"cache", "duration, boolean or table",
     "answers are stored, and given to all who ask alike (RFC 9111): how long they are fresh, or a table",
     [](Problems& p, const Node& n, D& o) { decode_cache(p, n, o.cache); },
     [](const D& o) { return render_cache(o.cache); }},
    {"compress", "boolean, strings or table",
     "contents that shrink are coded for clients that take it; BREACH: not where secrets meet what clients choose",
     [](Problems& p, const Node& n, D& o) { decode_compress(p, n, o.compression); },
     [](const D& o) { return render_compress(o.compression); }},
    {"client_cert", "boolean or strings",
     "true: who has shown a certificate that the listener has taken; strings: whose, such as \"dns:cart.shop.com\"; "
     "all "
     "others get 403",
     [](Problems& p, const Node& n, D& o) { decode_client_cert(p, n, o.client_cert); },
     [](const D& o) { return render_client_cert(o.client_cert); }},
    {"hsts", "duration, boolean or table",
     "browsers come by https alone, for so long (RFC 6797): max_age, include_subdomains, preload; true: a year",
     [](Problems& p, const Node& n, D& o) { decode_hsts(p, n, o.strict_transport); },
     [](const D& o) { return render_value(!o.strict_transport.empty()); }},
};

using R = RouteDraft;
constexpr Key<R> kRoute[] = {
    key<&R::route, &Route::rule, &route::Rule::name>("name", "for logs; default: what it matches"),
    special<R>("match", "string or table",
               "\"shop.com/images/*\", or host, path, path_regex, method, header, query, cookie, client_ip",
               decode_match),
    ranged<-1'000'000, 1'000'000, &R::route, &Route::rule, &route::Rule::priority>(
        "priority", "higher goes first, before specificity"),
    special<R>("upstream", "string", "the name of an [upstreams.NAME]", decode_upstream),
    special<R>("split", "array of { upstream, weight }",
               "several upstreams that share the requests, instead of upstream",
               [](Problems& p, const Node& n, R& o) { decode_split(p, n, o.forward); }),
    out_of<R>(kSplitKeys,
              special<R>("sticky", "string, table or boolean",
                         "how a client keeps its part of a split: \"client_ip\" (default), \"cookie\" or { cookie, "
                         "lifetime }; false: not at all",
                         [](Problems& p, const Node& n, R& o) { decode_split_sticky(p, n, o.split_sticky); })),
    special<R>("mirror", "string or table",
               "another upstream that gets copies of requests, whose answers are dropped: upstream, percent, max_body, "
               "max, timeout",
               [](Problems& p, const Node& n, R& o) { decode_mirror(p, n, o.forward); }),
    special<R>("redirect", "string or table", "a location, or { status, location }", decode_redirect),
    within<R>(kStatuses, special<R>("respond", "status, text or table", "404, \"text\", or { status, body, headers }",
                                    decode_respond)),
    special<R>("files", "path or table", "a directory whose files are served, or a table with it as root",
               decode_files),
    special<R>("rewrite", "table", "strip_prefix, add_prefix, replace_path, regex, replacement", decode_rewrite),
    key<&R::forward, &D::host>("host", "Host sent to the servers; empty: the client's"),
    key<&R::forward, &D::hide_backend>("hide_backend", "as in [defaults]"),
    key<&R::forward, &D::proxy_status>("proxy_status", "as in [defaults]"),
    key<&R::forward, &D::request_timeout>("request_timeout", "as in [defaults]"),
    key<&R::forward, &D::grpc_web>("grpc_web", "as in [defaults]"),
    one_of<kQueuePriorities, &R::forward, &D::queue_priority>("queue_priority", "as in [defaults]"),
    {"cache", "duration, boolean or table", "as in [defaults]",
     [](Problems& p, const Node& n, R& o) { decode_cache(p, n, o.forward.cache); },
     [](const R& o) { return render_cache(o.forward.cache); }},
    {"compress", "boolean, strings or table", "as in [defaults]",
     [](Problems& p, const Node& n, R& o) { decode_compress(p, n, o.forward.compression); },
     [](const R& o) { return render_compress(o.forward.compression); }},
    {"client_cert", "boolean or strings", "as in [defaults]",
     [](Problems& p, const Node& n, R& o) { decode_client_cert(p, n, o.forward.client_cert); },
     [](const R& o) { return render_client_cert(o.forward.client_cert); }},
    {"hsts", "duration, boolean or table", "as in [defaults]",
     [](Problems& p, const Node& n, R& o) { decode_hsts(p, n, o.forward.strict_transport); },
     [](const R& o) { return render_value(!o.forward.strict_transport.empty()); }},
};

}  // namespace

Keys<proxy::ForwardAction> defaults_keys() { return kDefaults; }
Keys<RouteDraft> route_keys() { return kRoute; }
Keys<route::Match> match_keys() { return kMatch; }
Keys<route::Match> condition_keys() {
  constexpr std::size_t kOfTheTarget = 4;  // host, path and method, by which a route is found
  static_assert(kMatch[kOfTheTarget].name == "header");
  return Keys<M>(kMatch).subspan(kOfTheTarget);
}
Keys<route::RewriteOptions> rewrite_keys() { return kRewrite; }
Keys<proxy::RedirectAction> redirect_keys() { return kRedirect; }
Keys<proxy::RespondAction> respond_keys() { return kRespond; }

}  // namespace rproxy::config
