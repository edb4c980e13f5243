#include "cli/health.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"
#include "cli/command.h"
#include "cli/diagnostics.h"
#include "cli/health_target.h"
#include "cli/output.h"
#include "config/load.h"
#include "http/characters.h"

namespace rproxy::cli {
namespace {

volatile sig_atomic_t g_stopped = 0;

void stop_on_interrupt() {
  struct sigaction action {};
  action.sa_handler = [](int) { g_stopped = 1; };
  // Once: whoever is not heard presses it again.
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

bool is_stopped() { return g_stopped != 0; }

// In pieces, so that it ends with the wish to stop.
void sleep_until(TimePoint end) {
  constexpr Duration kPiece{50};
  while (!is_stopped() && Clock::now() < end)
    std::this_thread::sleep_for(std::min<Clock::duration>(kPiece, end - Clock::now()));
}

bool is_colorful() {
  const char* no_color = std::getenv("NO_COLOR");
  return (no_color == nullptr || *no_color == '\0') && ::isatty(STDOUT_FILENO) == 1;
}

// A duration is a limit on latency, a number one on how many endpoints are healthy.
std::string parse_threshold(const std::string& text, HealthThreshold& out) {
  if (!text.empty() && text.size() <= 9 && text.find_first_not_of("0123456789") == std::string::npos) {
    out.healthy = std::stoul(text);
  } else if (const auto latency = parse_duration(text)) {
    out.latency = *latency;
  } else {
    return fmt::format("{} is neither a latency, such as 500ms, nor a number of healthy endpoints", text);
  }
  return {};
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out +=
        http::is(c, http::kUnreservedChar) ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

class Health final : public Command {
 public:
  explicit Health(CLI::App& app) {
    auto* command = app.add_subcommand("health", "Probe the endpoints of upstreams");
    command->add_option("config", path_, "Configuration file (TOML)")->type_name("CONFIG");
    command->add_option("--url", url_, "Probe this instead of a CONFIG")->type_name("URL");
    command->add_option("--upstream", wanted_.upstreams, "Only this one; may be repeated")
        ->type_name("NAME")
        ->allow_extra_args(false);
    command->add_option("--endpoint", wanted_.endpoints, "Only this one; may be repeated")
        ->type_name("ADDRESS")
        ->allow_extra_args(false);
    add_time(*command, "--timeout", timeout_, "For each probe; overrides health.timeout");
    command->add_option("--count", count_, "Rounds of probes")->type_name("N")->check(CLI::Range(1, 1'000'000));
    add_time(*command, "--interval", interval_, "From one round to the next (1s)");
    command->add_flag("--watch", watch_, "Go on until Ctrl-C, and redraw");
    command->add_flag("--json", json_, "The same as --format json");
    command->add_option("--format", format_, "table, json, nagios or prometheus")
        ->type_name("FORMAT")
        ->check(CLI::IsMember({"table", "json", "nagios", "prometheus"}).description(""));
    command->add_option("--prometheus", prometheus_, "Metrics into a file; -: to stdout")->type_name("FILE");
    command->add_option("--attach", attach_, "Compare with the proxy of this admin socket")->type_name("SOCKET");
    add_threshold(*command, "--warn", warn_, "Nagios: warn beyond 500ms, or below 2");
    add_threshold(*command, "--crit", crit_, "Nagios: critical beyond, or below");
    command->footer(
        "Exit codes: 0 every upstream can serve, 1 one can't, 2 usage, 3 configuration.\n"
        "With --format nagios: 0 ok, 1 warning, 2 critical, 3 unknown.");
  }

  int run() override {
    // Whatever goes wrong is in the result.
    log::set_level(LogLevel::kOff);
    if (const std::string wrong = contradiction(); !wrong.empty()) return usage(wrong);
    if (json_) format_ = "json";
    if (prometheus_ == "-") format_ = "prometheus";
    if (const int code = load(); code != kOk) return code;
    wanted_.timeout = timeout_.value_or(Duration{0});
    wanted_.is_stopped = is_stopped;
    server::Survey survey(config_, wanted_);
    auto names = survey.names();
    if (!names) return usage(names.error().context);
    if (watch_ || rounds() > 1) stop_on_interrupt();
    return show(survey, *names);
  }

 private:
  static void add_time(CLI::App& command, const char* name, std::optional<Duration>& out, const char* meaning) {
    command
        .add_option_function<std::string>(
            name,
            [&out, name](const std::string& text) {
              out = parse_duration(text);
              if (!out || out->count() == 0)
                throw CLI::ValidationError(fmt::format("{}: {} is no time such as 500ms", name, text));
            },
            meaning)
        ->type_name("TIME");
  }
  static void add_threshold(CLI::App& command, const char* name, HealthThreshold& out, const char* meaning) {
    command
        .add_option_function<std::vector<std::string>>(
            name,
            [&out, name](const std::vector<std::string>& texts) {
              for (const auto& text : texts) {
                if (const std::string wrong = parse_threshold(text, out); !wrong.empty())
                  throw CLI::ValidationError(fmt::format("{}: {}", name, wrong));
              }
            },
            meaning)
        ->type_name("LIMIT")
        ->allow_extra_args(false);
  }

  bool is_nagios() const { return format_ == "nagios"; }
  std::uint64_t rounds() const { return count_.value_or(1); }

  // Options that one after the other are right, and together say nothing.
  std::string contradiction() const {
    const bool has_limits = warn_.latency || warn_.healthy || crit_.latency || crit_.healthy;
    const std::string_view format = prometheus_ == "-" ? "prometheus" : json_ ? "json" : std::string_view(format_);
    if (path_.empty() && url_.empty()) return "the CONFIG file is missing, or --url";
    if (!path_.empty() && !url_.empty()) return "a CONFIG and --url at once";
    if (format_ != "table" && format_ != format)
      return fmt::format("standard output has room for one format: {} or {}", format_, format);
    if (has_limits && format != "nagios") return "--warn and --crit are limits for --format nagios";
    if (watch_ && (format == "nagios" || format == "prometheus"))
      return fmt::format("--watch shows a table or JSON, not {}: use --count", format);
    if (interval_ && !watch_ && !count_) return "--interval says nothing without --count or --watch";
    return {};
  }

  int usage(const std::string& what) const {
    if (is_nagios()) return unknown(what);
    fmt::print(stderr, "rproxy health: {}\nRun `rproxy health --help` for what it takes.\n", what);
    return kUsage;
  }
  static int unknown(const std::string& what) {
    write_output(health_unknown(what));
    return kNagiosUnknown;
  }

  int load() {
    if (!url_.empty()) {
      auto target = health_target(url_);
      if (!target) return usage(target.error().context);
      config_.upstreams.push_back(std::move(*target));
      return kOk;
    }
    auto loaded = config::load(path_);
    if (!loaded.ok()) {
      print_diagnostics(loaded, path_);
      return is_nagios() ? unknown(path_ + " is no valid configuration") : kConfiguration;
    }
    config_ = std::move(loaded.config);
    return kOk;
  }

  int show(server::Survey& survey, const std::vector<std::string>& names) {
    HealthView view(names);
    const bool is_screen = watch_ && ::isatty(STDOUT_FILENO) == 1;
    const Duration interval = interval_.value_or(Duration{1'000});
    for (TimePoint next = Clock::now(); !is_stopped(); sleep_until(next)) {
      next = std::max(next + interval, Clock::now());
      auto rows = survey.run();
      // What was cut short says nothing, but where it is all there is.
      if (is_stopped() && view.rounds() > 0) break;
      if (is_stopped() && is_nagios()) return unknown("interrupted");
      if (const auto there = survey.check_endpoints(); !there && view.rounds() == 0 && !is_stopped())
        return usage(there.error().context);
      view.add_round(std::move(rows));
      if (!wanted_.endpoints.empty() && view.rounds() == 1) view.forget_empty();
      const bool is_last = (!watch_ || count_) && view.rounds() >= rounds();
      if ((watch_ || is_last) && !attach_.empty()) {
        const auto told = attach(survey, view);
        if (is_stopped()) break;
        if (!told) return fail_to_attach(told.error());
      }
      if (watch_) draw(view, is_screen);
      if (is_last) break;
    }
    return finish(view);
  }

  // What the proxy says of each upstream. Errors: why it can't be had.
  Result<void> attach(server::Survey& survey, HealthView& view) const {
    for (HealthUpstream& upstream : view.upstreams()) {
      upstream.notes.clear();
      auto told = survey.ask_proxy(attach_, "/upstreams/" + percent_encoded(upstream.name));
      if (told && add_opinions(upstream, *told)) {
        // What was not asked for is not missing.
        if (!wanted_.endpoints.empty()) upstream.notes.clear();
        continue;
      }
      if (told)
        told = fail(ErrorCode::kBadResponse, Side::kUpstream, Retry::kNever,
                    "no admin endpoint of rproxy's answers there");
      if (!told.error().context.starts_with("HTTP 404")) return fail(std::move(told.error()));
      upstream.notes.emplace_back("the proxy has no such upstream");
    }
    return {};
  }

  int fail_to_attach(const Error& error) const {
    const std::string what = fmt::format("{}: {}", attach_, error.context);
    if (is_nagios()) return unknown(what);
    fmt::print(stderr, "rproxy health: {}\n", what);
    return kRuntime;
  }

  void draw(const HealthView& view, bool is_screen) const {
    const auto now = std::chrono::system_clock::now();
    if (is_screen) {
      // From the top, and what was below it goes.
      write_output("\x1b[H\x1b[2J" + health_watch(view, now, is_colorful()));
    } else {
      write_output(format_ == "json" ? health_json(view, now) : health_lines(view, now));
    }
    // With nobody to read it there is nothing to go on for.
    if (std::fflush(stdout) != 0)
      throw std::runtime_error(fmt::format("can't write the output: {}", std::strerror(errno)));
    write_metrics(view);
  }

  int finish(const HealthView& view) const {
    int code = view.can_serve() ? kOk : kRuntime;
    // One line is all that Nagios reads: what can't be written is to be that line, not another one behind it.
    if (is_nagios()) write_metrics(view);
    if (!watch_) code = print(view, code);
    if (!is_nagios() && !watch_) write_metrics(view);
    return code;
  }

  void write_metrics(const HealthView& view) const {
    if (!prometheus_.empty() && prometheus_ != "-") write_file_atomically(prometheus_, health_prometheus(view));
  }

  int print(const HealthView& view, int code) const {
    const auto now = std::chrono::system_clock::now();
    if (is_nagios()) {
      const HealthVerdict verdict = health_nagios(view, warn_, crit_);
      write_output(verdict.text);
      return verdict.code;
    }
    if (format_ == "json") {
      write_output(health_json(view, now));
    } else if (format_ == "prometheus") {
      write_output(health_prometheus(view));
    } else {
      write_output(health_table(view, now, rounds() > 1, is_colorful()));
    }
    return code;
  }

  std::string path_;
  std::string url_;
  std::string format_ = "table";
  std::string prometheus_;
  std::string attach_;
  std::optional<Duration> timeout_;
  std::optional<Duration> interval_;
  std::optional<std::uint64_t> count_;
  bool watch_ = false;
  bool json_ = false;
  HealthThreshold warn_;
  HealthThreshold crit_;
  server::Survey::Options wanted_;
  config::Config config_;
};

}  // namespace

std::unique_ptr<Command> make_health(CLI::App& app) { return std::make_unique<Health>(app); }

}  // namespace rproxy::cli
