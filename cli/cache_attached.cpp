// What is asked of a running proxy, by its admin socket.
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "cli/admin_client.h"
#include "cli/cache_directory.h"
#include "cli/cache_inspect.h"
#include "cli/cache_table.h"
#include "cli/command.h"
#include "cli/output.h"

namespace rproxy::cli {
namespace {

using Json = nlohmann::ordered_json;
using Table = std::function<std::string(const Json&)>;

constexpr std::uint64_t kTop = 20;
constexpr Duration kInterval{2'000};

// Throws, with what is wrong: a runtime failure.
Json ask(const CacheQuestion& question, const char* method, const char* path, const Json& asked) {
  const auto answer =
      ask_admin(question.socket, method, path,
                asked.is_null() ? std::string() : asked.dump(-1, ' ', false, Json::error_handler_t::replace));
  if (!answer) throw std::runtime_error(answer.error().context);
  Json told = Json::parse(answer->content, nullptr, false);
  if (told.is_discarded()) throw std::runtime_error(question.socket + ": what came is not JSON");
  if (answer->status != 200) throw std::runtime_error(told.value("detail", fmt::format("status {}", answer->status)));
  return told;
}

int tell(const CacheQuestion& question, const Json& told, const Table& table) {
  write_output(question.is_json ? json_line(told, 2) : table(told));
  return kOk;
}

Json list_question(const CacheQuestion& question) {
  const cache::Filter& filter = question.filter;
  Json asked = Json::object();
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) asked[name] = value;
  };
  add("host", filter.host);
  add("path", filter.path);
  add("type", filter.type);
  add("tag", filter.tag);
  if (filter.status) asked["status"] = *filter.status;
  if (filter.is_fresh) asked["fresh"] = *filter.is_fresh;
  if (filter.size_min != 0) asked["min_size"] = filter.size_min;
  if (filter.age_min != 0) asked["min_age"] = filter.age_min;
  const bool is_top = question.action == "top";
  asked["sort"] = !question.sort.empty() ? question.sort : is_top ? "hits" : "url";
  if (question.limit || is_top) asked["limit"] = question.limit.value_or(kTop);
  return asked;
}

int list(const CacheQuestion& question) {
  const Json told = ask(question, "POST", "/cache/list", list_question(question));
  if (!question.is_ndjson) {
    return tell(question, told, [](const Json& each) { return cache_list_table(each, width_of_output()); });
  }
  for (const Json& object : told.at("objects")) write_output(json_line(object));
  return kOk;
}

int purge(const CacheQuestion& question) {
  Json asked{{"soft", question.is_soft}};
  if (!question.target.empty()) asked["url"] = question.target;
  if (!question.prefix.empty()) asked["prefix"] = question.prefix;
  if (!question.filter.tag.empty()) asked["tag"] = question.filter.tag;
  if (!question.group.empty()) asked["group"] = question.group;
  if (question.is_all) asked["all"] = true;
  return tell(question, ask(question, "POST", "/cache/purge", asked), [](const Json& done) {
    std::string text =
        fmt::format("{} answers {}", done.value("purged", 0), done.value("soft", false) ? "made stale" : "removed");
    if (const auto disk = done.find("disk"); disk != done.end()) {
      text += disk->is_null() ? " in memory; those on the disk are found in the background"
                              : fmt::format(" in memory, {} on the disk", disk->dump());
    }
    return text + "\n";
  });
}

// ---- top, as it goes on.

volatile sig_atomic_t g_stopped = 0;

// Keys come one by one and unseen, as long as this is.
class LiveTerminal {
 public:
  LiveTerminal() : has_keys_(::isatty(STDIN_FILENO) == 1 && ::tcgetattr(STDIN_FILENO, &before_) == 0) {
    struct sigaction action {};
    action.sa_handler = [](int) { g_stopped = 1; };
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
    if (!has_keys_) return;
    termios now = before_;
    now.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &now);
  }
  LiveTerminal(const LiveTerminal&) = delete;
  LiveTerminal& operator=(const LiveTerminal&) = delete;
  ~LiveTerminal() {
    if (has_keys_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }

  // False: it is to end.
  bool wait(Duration time) const {
    for (const TimePoint end = Clock::now() + time; g_stopped == 0;) {
      const auto left = std::chrono::duration_cast<Duration>(end - Clock::now());
      if (left.count() <= 0) return true;
      pollfd keys{STDIN_FILENO, POLLIN, 0};
      if (::poll(&keys, has_keys_ ? 1 : 0, static_cast<int>(left.count())) <= 0) continue;
      char key = 'q';
      if (::read(STDIN_FILENO, &key, 1) <= 0 || key == 'q' || key == 'Q') return false;
    }
    return false;
  }

 private:
  termios before_{};
  const bool has_keys_;
};

// Hits of what was seen in the last round, and what came of them since.
class Rates {
 public:
  std::vector<double> of(const Json& list) {
    const TimePoint now = Clock::now();
    const double seconds = std::chrono::duration<double>(now - at_).count();
    std::map<std::string, std::int64_t> hits;
    std::vector<double> rates;
    for (const Json& object : list.at("objects")) {
      // Variants of one URL that are as large as each other are taken for one.
      const std::string name =
          fmt::format("{} {} {}", object.value("url", ""), object.value("status", 0), object.value("size", 0));
      const auto count = object.value("hits", std::int64_t{0});
      const auto before = hits_.find(name);
      const bool is_known = before != hits_.end() && before->second <= count;
      rates.push_back(is_known ? static_cast<double>(count - before->second) / seconds : 0);
      hits[name] = count;
    }
    hits_ = std::move(hits);
    at_ = now;
    return rates;
  }

 private:
  std::map<std::string, std::int64_t> hits_;
  TimePoint at_ = Clock::now();
};

int top(const CacheQuestion& question) {
  const bool is_screen = ::isatty(STDOUT_FILENO) == 1;
  const bool is_live = is_screen || question.count.value_or(1) > 1;
  if (question.is_json || !is_live || question.count == 1) return list(question);
  const LiveTerminal terminal;
  Rates rates;
  for (std::uint64_t round = 1;; ++round) {
    const Json told = ask(question, "POST", "/cache/list", list_question(question));
    const std::string table = cache_top_table(told, rates.of(told), width_of_output());
    // From the top, and what was below it goes.
    write_output(is_screen ? "\x1b[H\x1b[2J" + table : table);
    if (std::fflush(stdout) != 0) throw std::runtime_error("can't write the output");
    const bool is_last = question.count && round >= *question.count;
    if (is_last || !terminal.wait(question.interval.value_or(kInterval))) return kOk;
  }
}

int answer(const CacheQuestion& question) {
  if (question.action == "stats") return tell(question, ask(question, "GET", "/cache", {}), cache_stats_table);
  if (question.action == "show") {
    return tell(question, ask(question, "POST", "/cache/show", {{"url", question.target}}), cache_objects_text);
  }
  if (question.action == "why") {
    const Json told = ask(question, "POST", "/cache/why", {{"url", question.target}, {"fields", question.headers}});
    return tell(question, told, [](const Json& why) { return wrap_prose(cache_why_text(why), width_of_output()); });
  }
  if (question.action == "purge") return purge(question);
  return question.action == "top" ? top(question) : list(question);
}

}  // namespace

int inspect_attached(const CacheQuestion& question) {
  try {
    return answer(question);
  } catch (const std::runtime_error& error) {
    return fail_cache_inspect(error.what());
  }
}

int inspect_both(const CacheQuestion& question) {
  try {
    Json stats = ask(question, "GET", "/cache", {});
    const Json directory = directory_stats(question);
    if (!question.is_json) {
      write_output(cache_stats_table(stats) + "\n" + cache_directory_table(directory, width_of_output()));
      return kOk;
    }
    stats["directory"] = directory;
    write_output(json_line(stats, 2));
    return kOk;
  } catch (const std::runtime_error& error) {
    return fail_cache_inspect(error.what());
  }
}

}  // namespace rproxy::cli
