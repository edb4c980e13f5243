#include "cli/cert.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <utility>

#include "base/log.h"
#include "cli/nagios.h"
#include "cli/output.h"

namespace rproxy::cli {
namespace {

class Cert final : public Command {
 public:
  explicit Cert(CLI::App& app) : app_(app.add_subcommand("cert", "Make, show, verify and watch certificates")) {
    app_->require_subcommand(1);
    app_->get_formatter()->column_width(26);
    for (const auto make :
         {make_cert_create, make_cert_ca, make_cert_trust, make_cert_csr, make_cert_sign, make_cert_show,
          make_cert_verify, make_cert_check, make_cert_scan, make_cert_convert, make_cert_acme})
      commands_.push_back(make(*app_));
    app_->footer("Each has its own --help.");
  }

  int run() override {
    // Whatever goes wrong is in the result.
    log::set_level(LogLevel::kOff);
    const auto all = app_->get_subcommands([](CLI::App*) { return true; });
    for (std::size_t i = 0; i < commands_.size(); ++i) {
      if (all[i]->parsed()) return run(*commands_[i], name_of(*all[i]));
    }
    return kUsage;
  }

 private:
  // With those of a command of it.
  static std::string name_of(const CLI::App& command) {
    const auto below = command.get_subcommands();
    return command.get_name() + (below.empty() ? "" : " " + name_of(*below.front()));
  }

  static int run(Command& command, const std::string& name) {
    try {
      return command.run();
    } catch (const CertFailure& failure) {
      if (name == "check") {
        write_output(nagios::unknown("CERT", failure.what));
        return kNagiosUnknown;
      }
      fmt::print(stderr, "rproxy cert {}: {}\n", name, failure.what);
      if (failure.is_usage) fmt::print(stderr, "Run `rproxy cert {} --help` for what it takes.\n", name);
      return failure.code;
    }
  }

  CLI::App* app_;
  std::vector<std::unique_ptr<Command>> commands_;
};

}  // namespace

std::unique_ptr<Command> make_cert(CLI::App& app) { return std::make_unique<Cert>(app); }

}  // namespace rproxy::cli
