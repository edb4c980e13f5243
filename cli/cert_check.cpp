// rproxy cert check: which certificates end soon, for Nagios and for people.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "cli/cert_remote.h"
#include "cli/cert_view.h"
#include "cli/diagnostics.h"
#include "cli/nagios.h"
#include "cli/output.h"
#include "config/load.h"
#include "config/text.h"
#include "server/survey.h"
#include "upstream/client_header.h"
#include "x509/lifetime.h"

namespace rproxy::cli {
namespace {

using nagios::Level;
using std::chrono::seconds;

using x509::LifetimeLimit;
using x509::LifetimeState;

LifetimeLimit parse_limit(const char* option, const std::string& text, const LifetimeLimit& usual) {
  if (text.empty()) return usual;
  if (const auto limit = LifetimeLimit::parse(text)) return *limit;
  refuse_cert(fmt::format("{}: {} is neither a time, such as 20d, nor a part of the lifetime, such as 25%", option,
                          config::printable(text)));
}

struct Item {
  std::string where;
  std::string name;  // of the certificate; empty: there is none
  std::string problem{};
  WallTime begin{};
  WallTime end{};
  seconds left{0};
  seconds warn{0};
  seconds crit{0};
  Level level = nagios::kFine;

  std::string label() const { return name.empty() || name == where ? where : where + " " + name; }
};

class Check final : public Command {
 public:
  explicit Check(CLI::App& cert) {
    auto* command = cert.add_subcommand("check", "Find certificates that end soon (Nagios)");
    command->add_option("what", what_, "CONFIG (.toml), certificate FILE, HOST:PORT")->type_name("WHAT");
    command->add_option("--warn", warn_, "Warn if less is left: 20d, or 25%")->type_name("LIMIT");
    command->add_option("--crit", crit_, "Critical if less is left: 7d, or 10%")->type_name("LIMIT");
    remote_.add_to(*command);
    command->add_option("--passin", passin_, "Password: env:NAME, file:PATH, prompt")->type_name("SOURCE");
    command->add_flag("--json", is_json_, "As JSON");
    command->footer(
        "Of a CONFIG: its certificates, and those of upstreams with tls, which are asked.\n"
        "Without limits: a quarter of the lifetime, at most 30d; a tenth, at most 10d.\n"
        "Exit codes: 0 ok, 1 warning, 2 critical, 3 unknown.");
  }

  int run() override {
    if (what_.empty()) refuse_cert("what? A CONFIG, a certificate FILE, or HOST:PORT");
    const LifetimeLimit warn = parse_limit("--warn", warn_, x509::kWarnLimit);
    const LifetimeLimit crit = parse_limit("--crit", crit_, x509::kCriticalLimit);
    limit_ = remote_.limit();
    for (const std::string& each : what_) find(each);
    ask_servers();
    const auto now = std::chrono::system_clock::now();
    for (Item& item : items_) judge(item, warn, crit, now);
    std::ranges::stable_sort(items_, [](const Item& left, const Item& right) {
      return std::pair(-left.level, left.left) < std::pair(-right.level, right.left);
    });
    return print(now);
  }

 private:
  // ---- What there is.

  void find(const std::string& what) {
    if (what.ends_with(".toml")) return find_in_config(what);
    if (const auto address = parse_server(what)) {
      servers_.push_back({what, {*address, remote_.server_name}});
    } else if (what != "-" && ::access(what.c_str(), F_OK) != 0) {
      fail_neither(what);
    } else {
      find_in_file(what);
    }
  }

  void find_in_config(const std::string& path) {
    auto loaded = config::load(path);
    if (!loaded.ok()) {
      print_diagnostics(loaded, path);
      fail_cert(path + " is no valid configuration");
    }
    std::set<std::string> files;
    for (const auto& listener : loaded.config.listeners) {
      if (!listener.tls) continue;
      for (const auto& each : listener.tls->certificates) {
        if (files.insert(each.cert).second) find_in_file(each.cert);
      }
    }
    std::erase_if(loaded.config.upstreams, [](const auto& upstream) { return !upstream.tls.enabled; });
    server::Survey survey(loaded.config, {});
    std::vector<server::SurveyRow> unresolved;
    for (const auto& [upstream, endpoint] : survey.find_endpoints(unresolved)) {
      const HostPort& address = endpoint.options.address;
      servers_.push_back(
          {upstream->name + " " + address.to_string(),
           {address, endpoint.tls_name, endpoint.address, upstream::client_header(upstream->proxy_protocol, nullptr)}});
    }
    for (const auto& row : unresolved) items_.push_back({row.upstream + " " + row.endpoint, "", row.result.reason});
  }

  void find_in_file(const std::string& path) {
    try {
      const x509::Bundle bundle = read_bundle(path, passin_);
      add(path, bundle.certificates);
    } catch (const CertFailure& failure) {
      // The others are still worth looking at.
      items_.push_back({path, "", failure.what});
    }
  }

  void ask_servers() {
    std::vector<Wanted> wanted;
    for (const auto& [where, server] : servers_) wanted.push_back(server);
    auto seen = fetch_all(wanted, limit_);
    for (std::size_t i = 0; i < seen.size(); ++i) {
      if (seen[i])
        add(servers_[i].first, seen[i]->chain);
      else
        items_.push_back({servers_[i].first, "", reason_of(seen[i].error())});
    }
  }

  void add(const std::string& where, const std::vector<x509::Certificate>& all) {
    if (all.empty()) items_.push_back({where, "", "there is no certificate"});
    for (const x509::Certificate& each : all)
      items_.push_back({where, short_name(each), "", each.not_before(), each.not_after()});
  }

  // ---- What to think of it.

  static void judge(Item& item, const LifetimeLimit& warn, const LifetimeLimit& crit, WallTime now) {
    if (item.name.empty()) {
      item.level = nagios::kCritical;
      return;
    }
    item.left = std::chrono::duration_cast<seconds>(item.end - now);
    item.warn = warn.of(item.begin, item.end);
    item.crit = crit.of(item.begin, item.end);
    const LifetimeState state = x509::judge_lifetime(item.begin, item.end, now, warn, crit);
    item.level = state == LifetimeState::kFine       ? nagios::kFine
                 : state == LifetimeState::kEndsSoon ? nagios::kWarning
                                                     : nagios::kCritical;
    item.problem = state == LifetimeState::kExpired       ? "expired " + relative_time(item.end, now)
                   : state == LifetimeState::kNotYetValid ? "is not valid before " + time_text(item.begin)
                                                          : "ends " + relative_time(item.end, now);
  }

  int print(WallTime now) const {
    nagios::Findings findings;
    for (const Item& item : items_)
      findings.add(item.level, fmt::format("{} {}", config::printable(item.label()), config::printable(item.problem)));
    if (is_json_) {
      write_output(dump(json_of(findings.level, now)));
      return findings.level;
    }
    if (findings.text.empty()) {
      const Item& first = items_.front();
      findings.text =
          nagios::plain(fmt::format("{} certificate{}, the first {} ({})", items_.size(), items_.size() == 1 ? "" : "s",
                                    first.problem, config::printable(first.label())));
    }
    std::string out = fmt::format("CERT {} - {} |{}\n", nagios::word(findings.level), findings.text, performance());
    // Long output, which Nagios shows behind the line, and has no use for '|'.
    for (const Item& item : items_)
      out += nagios::plain(fmt::format("{:<8} {}: {}", nagios::word(item.level), config::printable(item.label()),
                                       config::printable(item.problem))) +
             "\n";
    write_output(out);
    return findings.level;
  }

  std::string performance() const {
    std::string out;
    for (const Item& item : items_) {
      const std::string label = nagios::plain_label(config::printable(item.label()));
      // "N:": less than that is out of it. "U": nothing was measured.
      out += item.name.empty()
                 ? fmt::format(" '{}'=U", label)
                 : fmt::format(" '{}'={}s;{}:;{}:", label, item.left.count(), item.warn.count(), item.crit.count());
    }
    return out;
  }

  CertJson json_of(Level level, WallTime now) const {
    static constexpr const char* kWords[] = {"ok", "warning", "critical", "unknown"};
    CertJson json;
    json["status"] = kWords[level];
    json["time"] = json_time(now);
    json["certificates"] = CertJson::array();
    for (const Item& item : items_) {
      CertJson each;
      each["where"] = item.where;
      each["name"] = item.name.empty() ? CertJson() : CertJson(item.name);
      each["status"] = kWords[item.level];
      each["problem"] = item.problem;
      each["not_before"] = item.name.empty() ? CertJson() : CertJson(json_time(item.begin));
      each["not_after"] = item.name.empty() ? CertJson() : CertJson(json_time(item.end));
      each["seconds_left"] = item.name.empty() ? CertJson() : CertJson(item.left.count());
      each["warn_seconds"] = item.warn.count();
      each["crit_seconds"] = item.crit.count();
      json["certificates"].push_back(std::move(each));
    }
    return json;
  }

  std::vector<std::string> what_;
  std::string warn_;
  std::string crit_;
  RemoteOptions remote_;
  Duration limit_{0};
  std::string passin_;
  bool is_json_ = false;
  std::vector<std::pair<std::string, Wanted>> servers_;
  std::vector<Item> items_;
};

}  // namespace

std::unique_ptr<Command> make_cert_check(CLI::App& cert) { return std::make_unique<Check>(cert); }

}  // namespace rproxy::cli
