#include "admin/api.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "admin/actions.h"
#include "net/from_thread.h"
#include "net/wait_queue.h"

namespace rproxy::admin {
namespace {

struct Operation {
  std::string_view method;
  std::string_view path;
  Answer (*act)(Call&);  // null: a reload, which takes its time
  bool takes_content = false;
};

constexpr std::string_view kEndpoint = "/upstreams/{upstream}/endpoints/{endpoint}";

constexpr std::array kOperations{
    Operation{"GET", "/healthz", get_health},
    Operation{"GET", "/readyz", get_readiness},
    Operation{"GET", "/metrics", get_metrics},
    Operation{"GET", "/status", get_status},
    Operation{"GET", "/config", get_config},
    Operation{"POST", "/reload", nullptr},
    Operation{"GET", "/upstreams", get_upstreams},
    Operation{"GET", "/upstreams/{upstream}", get_upstream},
    Operation{"POST", "/upstreams/{upstream}/endpoints", add_endpoint, true},
    Operation{"GET", kEndpoint, get_endpoint},
    Operation{"DELETE", kEndpoint, remove_endpoint},
    Operation{"POST", "/upstreams/{upstream}/endpoints/{endpoint}/drain", drain_endpoint},
    Operation{"POST", "/upstreams/{upstream}/endpoints/{endpoint}/disable", disable_endpoint},
    Operation{"POST", "/upstreams/{upstream}/endpoints/{endpoint}/enable", enable_endpoint},
    Operation{"PUT", "/upstreams/{upstream}/endpoints/{endpoint}/weight", put_weight, true},
    Operation{"GET", "/certificates", get_certificates},
    Operation{"POST", "/certificates/renew", renew_certificate, true},
    Operation{"GET", "/cache", get_cache},
    Operation{"POST", "/cache/list", list_cache, true},
    Operation{"POST", "/cache/show", show_cache, true},
    Operation{"POST", "/cache/why", why_cache, true},
    Operation{"POST", "/cache/purge", purge_cache, true},
};

std::vector<std::string_view> segments_of(std::string_view path) {
  std::vector<std::string_view> segments;
  for (path.remove_prefix(std::min<std::size_t>(path.size(), 1));;) {
    const auto end = path.find('/');
    segments.push_back(path.substr(0, end));
    if (end == path.npos) return segments;
    path.remove_prefix(end + 1);
  }
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// The head parser has seen to it that escapes are whole.
std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_escape = text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0;
    out += is_escape ? static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2])) : text[i];
    if (is_escape) i += 2;
  }
  return out;
}

// What stands for the names of `pattern` in the path; nothing where it is another one.
std::optional<std::vector<std::string>> match(std::string_view pattern, const std::vector<std::string_view>& path) {
  const auto parts = segments_of(pattern);
  if (parts.size() != path.size()) return std::nullopt;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].starts_with('{')) {
      names.push_back(unescape(path[i]));
    } else if (parts[i] != path[i]) {
      return std::nullopt;
    }
  }
  return names;
}

struct Match {
  const Operation* operation = nullptr;  // null: the path is there, and its methods are in `allowed`; or nothing is
  std::vector<std::string> names;
  std::string allowed;
};

Match find(std::string_view method, std::string_view path) {
  const auto segments = segments_of(path);
  Match found;
  for (const Operation& each : kOperations) {
    auto names = match(each.path, segments);
    if (!names) continue;
    if (each.method == method || (each.method == "GET" && method == "HEAD")) {
      found.operation = &each;
      found.names = std::move(*names);
      return found;
    }
    if (!found.allowed.empty()) found.allowed += ", ";
    found.allowed += each.method;
    if (each.method == "GET") found.allowed += ", HEAD";
  }
  return found;
}

std::optional<Answer> refusal(const exchange::Request& request, const Match& found) {
  if (found.operation == nullptr && found.allowed.empty()) return problem(404, "there is nothing here");
  if (found.operation == nullptr) {
    Answer answer = problem(405, fmt::format("{} is for {}", request.head.path, found.allowed));
    answer.fields.emplace_back("Allow", found.allowed);
    return answer;
  }
  if (!request.head.query.empty()) return problem(400, "no parameters are known");
  return std::nullopt;
}

// All of the content; nothing where it is too long.
net::Task<Result<std::optional<std::string>>> read_content(exchange::Request& request) {
  std::string text;
  while (request.body != nullptr) {
    auto slice = co_await request.body->read();
    if (!slice) co_return fail(std::move(slice.error()));
    if (text.size() + slice->data.size() > Api::kContentMax) co_return std::optional<std::string>();
    text += slice->data;
    if (slice->last) break;
  }
  co_return std::optional<std::string>(std::move(text));
}

// Discarded where it is none. `repeated`: a member that is there more than once, of which one would be passed over without a word.
Json parse_json(const std::string& text, std::string& repeated) {
  std::set<std::string> seen;
  const auto note = [&](int depth, Json::parse_event_t event, const Json& parsed) {
    if (event == Json::parse_event_t::key && depth == 1 && !seen.insert(parsed.get<std::string>()).second)
      repeated = parsed.get<std::string>();
    return true;
  };
  return Json::parse(text, note, false);
}

// An object, where the operation takes one; else there may be none.
tl::expected<Json, Answer> parse_content(const Operation& operation, const std::optional<std::string>& text) {
  if (!text) return tl::unexpected(problem(413, fmt::format("at most {} bytes", Api::kContentMax)));
  if (!operation.takes_content) {
    if (text->empty()) return Json();
    return tl::unexpected(problem(400, "this takes no content"));
  }
  std::string repeated;
  Json json = parse_json(*text, repeated);
  if (json.is_discarded()) return tl::unexpected(problem(400, "the content is not JSON"));
  if (!json.is_object()) return tl::unexpected(problem(400, "the content is not a JSON object"));
  if (!repeated.empty())
    return tl::unexpected(problem(400, fmt::format("member {} is there more than once", repeated)));
  return json;
}

// Whoever waits for a reload may go away before it is done.
struct Reloading {
  net::WaitQueue waiting;
  std::optional<ReloadOutcome> outcome;
};

}  // namespace

net::Task<Result<exchange::Response>> Api::handle(exchange::Request& request) {
  auto answered = co_await answer(request);
  if (!answered) co_return fail(std::move(answered.error()));
  exchange::Response response = to_response(request, std::move(*answered));
  // What is left of content that nobody wants is not read.
  response.close = response.head.status == 413;
  co_return response;
}

net::Task<Result<Answer>> Api::answer(exchange::Request& request) {
  const Match found = find(request.head.method, request.head.path);
  if (auto refused = refusal(request, found)) co_return std::move(*refused);
  auto text = co_await read_content(request);
  if (!text) co_return fail(std::move(text.error()));
  auto content = parse_content(*found.operation, *text);
  if (!content) co_return std::move(content.error());
  if (found.operation->act == nullptr) {
    Answer answer = co_await reload();
    co_return answer;
  }
  net::FromThread<bool> let_go(*request.loop);
  std::shared_ptr<void> held(nullptr, [tell = let_go.teller()](void*) { tell(true); });
  Call call{subject_, request.loop->now(), found.names, std::move(*content), std::move(held)};
  Answer answer = found.operation->act(call);
  call.held.reset();
  co_await let_go.told();
  co_return answer;
}

net::Task<Answer> Api::reload() {
  const auto reloading = std::make_shared<Reloading>();
  subject_.reload([reloading](ReloadOutcome outcome) {
    reloading->outcome = std::move(outcome);
    reloading->waiting.wake_all();
  });
  if (!reloading->outcome) co_await reloading->waiting;
  const ReloadOutcome& outcome = *reloading->outcome;
  if (!outcome.ok) co_return problem(422, outcome.text);
  co_return json_answer({{"status", "reloaded"}, {"changed", outcome.text}, {"revision", subject_.serving.revision}});
}

std::vector<OperationInfo> all_operations() {
  std::vector<OperationInfo> all;
  for (const Operation& each : kOperations) all.push_back({each.method, each.path});
  return all;
}

}  // namespace rproxy::admin
