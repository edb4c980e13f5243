#include <fmt/format.h>

#include <algorithm>

#include "check/explanation.h"
#include "config/text.h"
#include "http/message.h"

namespace rproxy::check {
namespace {

constexpr std::size_t kWidth = 80;
constexpr std::size_t kNameWidth = 16;

class Text {
 public:
  // "name            value", the value wrapped between words where it is longer than the line has room.
  void line(std::string_view name, std::string_view value) {
    std::string head = fmt::format("  {:<{}}", config::printable(name), kNameWidth - 2);
    if (!head.ends_with(' ')) head += ' ';
    const std::string text = config::printable(value);
    std::string_view rest = text;
    do {
      const std::string_view part = take(rest, kWidth - std::max(head.size(), kNameWidth));
      out_ += head;
      out_ += part;
      trim();
      out_ += '\n';
      head = std::string(kNameWidth, ' ');
    } while (!rest.empty());
  }
  // "+ Via: 1.1 rproxy", whole, for it may be copied.
  void header(std::string_view sign, const Explanation::Named& field) {
    out_ += fmt::format("  {} {}: {}\n", sign, config::printable(field.name), config::printable(field.value));
  }
  void title(std::string_view text) {
    out_ += fmt::format("{}{}\n", out_.empty() ? "" : "\n", config::printable(text));
  }
  std::string take_all() { return std::move(out_); }

 private:
  static std::string_view take(std::string_view& rest, std::size_t room) {
    auto end = rest.size();
    if (end > room) {
      end = rest.rfind(' ', room);
      // A word that no line has room for stays whole, so that it can be copied.
      if (end == rest.npos || end == 0) end = std::min(rest.find(' '), rest.size());
    }
    const auto part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return part;
  }
  void trim() {
    while (out_.ends_with(' ')) out_.pop_back();
  }

  std::string out_;
};

std::string place_of(const config::Location& at) {
  return at.file.empty() ? std::string() : fmt::format("{}:{}", at.file, at.line);
}

void put_route(const Explanation& explanation, Text& text) {
  if (explanation.route) {
    text.title("route");
    text.line("name", explanation.route_name);
    text.line("at", place_of(explanation.route_at));
    for (const auto& [name, value] : explanation.conditions) text.line(name, value);
    if (explanation.conditions.empty()) text.line("asks", "nothing: it takes any request");
  }
  if (!explanation.runners_up.empty()) text.title("other routes");
  for (const auto& each : explanation.runners_up) {
    text.line(place_of(each.at), fmt::format("{}: {}", each.route, each.reason));
  }
}

void put_answer(const Explanation& explanation, Text& text) {
  if (explanation.status == 0) return;
  text.title("the proxy answers");
  text.line("status", fmt::format("{} {}", explanation.status, http::reason_phrase(explanation.status)));
  if (!explanation.reason.empty()) text.line("because", explanation.reason);
  if (!explanation.location.empty()) text.line("Location", explanation.location);
}

void put_forwarding(const Explanation& explanation, Text& text) {
  if (!explanation.steps.empty()) text.title("on the way");
  for (const auto& [name, value] : explanation.steps) text.line(name, value);
  if (explanation.upstream.empty() || explanation.status != 0) return;
  text.title("the server gets");
  text.line("upstream", explanation.upstream);
  for (const auto& server : explanation.servers)
    text.line("server", fmt::format("{}, {}", server.address, server.state));
  text.line("path", explanation.rewritten);
  text.line("Host", explanation.host);
  for (const auto& field : explanation.added) text.header("+", field);
  for (const auto& field : explanation.removed) text.header("-", field);
  if (explanation.withheld.empty()) return;
  text.title("the client does not get");
  text.line("headers", fmt::format("{}", fmt::join(explanation.withheld, ", ")));
}

}  // namespace

std::string render_text(const Explanation& explanation) {
  Text text;
  text.title(explanation.request);
  text.line("client", explanation.client);
  text.line("listener", explanation.listener.empty() ? "none has this scheme and port" : explanation.listener);
  if (!explanation.path.empty()) text.line("path", explanation.path);
  put_route(explanation, text);
  put_forwarding(explanation, text);
  put_answer(explanation, text);
  return text.take_all();
}

}  // namespace rproxy::check
