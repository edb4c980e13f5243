#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "check/files_check.h"
#include "check/tls_check.h"
#include "cli/command.h"
#include "cli/diagnostics.h"
#include "cli/output.h"
#include "config/load.h"
#include "net/tls_key_log.h"
#include "server/server.h"

namespace rproxy::cli {
namespace {

const std::vector<std::string> kLevels(kLogLevels.begin(), kLogLevels.end());

int exit_code_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::kCannotBind:
      return kCannotBind;
    case ErrorCode::kConfig:
    case ErrorCode::kFile:
      return kConfiguration;
    default:
      return kRuntime;
  }
}

void print_keys() {
  for (const auto& key : config::all_keys()) {
    write_output(fmt::format("{}\t{}\t{}\t{}\n", key.path, key.type, key.fallback, key.meaning));
  }
}

class Serve final : public Command {
 public:
  explicit Serve(CLI::App& app) {
    auto* command = app.add_subcommand("serve", "Run the proxy in the foreground");
    command->add_option("config", path_, "Configuration file (TOML)")->required()->type_name("CONFIG");
    command->add_option("--workers", workers_, "Threads; overrides server.workers")
        ->type_name("N")
        ->check(CLI::Range(1U, config::kWorkersMax));
    command->add_flag("--watch", watch_, "Reload the configuration when its files change");
    command->add_flag("--check", check_, "Validate the configuration and exit");
    command->add_flag("--print-config", print_, "Print the effective configuration, and exit");
    command
        ->add_flag_callback(
            "--print-keys",
            [] {
              print_keys();
              throw CLI::Success();
            },
            "Print every configuration key, and exit")
        ->trigger_on_parse();
    command->add_option("--tls-key-log", key_log_, "Write the secrets of TLS connections there")->type_name("FILE");
    command->add_option("--log-level", level_, "Overrides server.log_level")
        ->type_name("LEVEL")
        ->check(CLI::IsMember(kLevels).description(""));
    command->footer(
        "Signals: SIGTERM, SIGINT drain and exit, a second one exits at once; SIGHUP\nreloads the configuration; "
        "SIGUSR1 reopens log files.\n"
        "Exit codes: 0 ok, 1 runtime failure, 2 usage, 3 configuration, 4 cannot bind.");
  }

  int run() override {
    auto loaded = load();
    print_diagnostics(loaded, path_);
    if (!loaded.ok()) return kConfiguration;
    if (print_) {
      write_output(config::render_effective(loaded, overrides()));
    } else if (check_) {
      write_output(fmt::format("{}: ok\n", path_));
    }
    if (print_ || check_) return kOk;
    return serve(std::move(loaded));
  }

 private:
  config::Loaded load() const {
    auto loaded = config::load(path_);
    if (check_ || !print_) {
      check::check_tls(loaded);
      check::check_files(loaded);
    }
    override_settings(loaded.config);
    return loaded;
  }

  void override_settings(config::Config& config) const {
    if (workers_) config.server.workers = *workers_;
    if (const auto level = std::ranges::find(kLevels, level_); level != kLevels.end())
      config.server.log_level = static_cast<LogLevel>(level - kLevels.begin());
  }

  std::vector<config::Override> overrides() const {
    std::vector<config::Override> found;
    if (workers_) found.push_back({"workers", "--workers"});
    if (!level_.empty()) found.push_back({"log_level", "--log-level"});
    return found;
  }

  int serve(config::Loaded loaded) const {
    log::set_level(loaded.config.server.log_level);
    log::start();
    const auto served = log_keys().and_then([&] {
      return server::run(std::move(loaded), {[this] { return load(); }, watch_, RPROXY_VERSION});
    });
    if (!served) log::error("{}", describe(served.error()));
    log::stop();
    return served ? kOk : exit_code_of(served.error());
  }

  Result<void> log_keys() const {
    if (key_log_.empty()) return {};
    auto begun = net::log_tls_keys_to(key_log_);
    if (begun) log::warn("the secrets of all TLS connections go to {}: whoever reads it reads them", key_log_);
    return begun;
  }

  std::string path_;
  std::string key_log_;
  std::optional<unsigned> workers_;
  bool watch_ = false;
  bool check_ = false;
  bool print_ = false;
  std::string level_;
};

}  // namespace

std::unique_ptr<Command> make_serve(CLI::App& app) { return std::make_unique<Serve>(app); }

}  // namespace rproxy::cli
