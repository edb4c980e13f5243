// rproxy cert scan: what a TLS server offers, and what to do about it.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/cert_remote.h"
#include "cli/cert_view.h"
#include "cli/diagnostics.h"
#include "cli/output.h"
#include "config/text.h"
#include "scan/cipher.h"
#include "scan/report.h"
#include "scan/run_within.h"
#include "scan/scanner.h"

namespace rproxy::cli {
namespace {

using scan::Grade;
using scan::Report;

std::string groups_of(const Report& report) {
  std::vector<std::string> names;
  for (const std::uint16_t each : report.groups) names.push_back(scan::group_name(each));
  return joined(names);
}

const char* said(std::optional<bool> value) { return !value ? "not asked" : *value ? "yes" : "no"; }

std::string marked(std::uint16_t cipher) {
  switch (scan::cipher_strength(cipher)) {
    case scan::Strength::kModern:
      return scan::cipher_name(cipher);
    case scan::Strength::kOld:
      return scan::cipher_name(cipher) + " (CBC)";
    case scan::Strength::kStaticKey:
      return scan::cipher_name(cipher) + " (no forward secrecy)";
    default:
      return scan::cipher_name(cipher) + " (WEAK)";
  }
}

CertJson or_null(std::optional<bool> value) { return value ? CertJson(*value) : CertJson(); }

CertJson json_of(const Report& report, const Grade& grade) {
  CertJson json;
  json["server"] = report.address;
  json["server_name"] = report.server_name;
  json["grade"] = grade.letter;
  json["reasons"] = CertJson::array();
  for (const scan::Reason& each : grade.reasons)
    json["reasons"].push_back({{"grade", each.grade.empty() ? CertJson() : CertJson(each.grade)},
                               {"word", each.word},
                               {"text", each.text},
                               {"remedy", each.remedy}});
  json["protocols"] = CertJson::array();
  for (const scan::Protocol& protocol : report.protocols) {
    CertJson each;
    each["version"] = scan::version_name(protocol.version);
    each["server_order"] = protocol.prefers_own;
    each["ciphers"] = CertJson::array();
    for (const std::uint16_t cipher : protocol.ciphers) each["ciphers"].push_back(scan::cipher_name(cipher));
    json["protocols"].push_back(std::move(each));
  }
  json["groups"] = CertJson::array();
  for (const std::uint16_t each : report.groups) json["groups"].push_back(scan::group_name(each));
  json["dh_bits"] = report.dh_bits != 0 ? CertJson(report.dh_bits) : CertJson();
  json["alpn"] = report.alpn;
  json["compression"] = or_null(report.compression);
  json["secure_renegotiation"] = or_null(report.renegotiation);
  json["extended_master_secret"] = or_null(report.master_secret);
  json["fallback_scsv"] = or_null(report.fallback);
  json["resumption"] = {{"tls13", or_null(report.resumption.tls13)},
                        {"tls12_ticket", or_null(report.resumption.tls12_ticket)},
                        {"tls12_id", or_null(report.resumption.tls12_id)}};
  json["early_data_max"] = report.early_data_max;
  json["http"] = report.is_http;
  json["hsts"] = report.hsts.empty() ? CertJson() : CertJson(report.hsts);
  json["ocsp_stapled"] = report.ocsp ? CertJson(report.ocsp->status) : CertJson();
  json["trusted"] = report.verdict.is_trusted;
  json["certificates"] = CertJson::array();
  for (const x509::Certificate& each : report.chain)
    json["certificates"].push_back(certificate_json(x509::facts_of(each)));
  json["problems"] = report.problems;
  return json;
}

class Scan final : public Command {
 public:
  explicit Scan(CLI::App& cert) {
    auto* command = cert.add_subcommand("scan", "Find out what a TLS server offers");
    command->add_option("server", server_, "Whom to ask")->type_name("HOST:PORT");
    remote_.add_to(*command);
    command->add_option("--max-time", max_time_, "For all of it (1m)")->type_name("TIME");
    command->add_option("--ca", authorities_, "Trust these, not the system's (PEM)")->type_name("FILE");
    command->add_option("--require", required_, "Fail where the grade is worse: A+, A, B, C")
        ->type_name("GRADE")
        ->check(CLI::IsMember({"A+", "A", "B", "C"}).description(""));
    command->add_flag("--json", is_json_, "As JSON");
    command->footer(
        "Some dozens of connections, a few at once: ask servers that are yours.\n"
        "Exit codes: 0 done, 1 it can't be reached, or is worse than --require, 2 usage.");
  }

  int run() override {
    if (server_.empty()) refuse_cert("whom? HOST:PORT");
    const auto address = parse_server(server_);
    if (!address) refuse_cert(fmt::format("{} is no HOST:PORT", config::printable(server_)));
    const auto limit = parse_duration(max_time_);
    if (!limit || limit->count() == 0)
      refuse_cert(fmt::format("--max-time: {} is no time such as 1m", config::printable(max_time_)));
    const x509::TrustStore trusted =
        take(authorities_.empty() ? x509::TrustStore::system() : x509::TrustStore::from_file(authorities_));
    now_ = std::chrono::system_clock::now();
    constexpr std::size_t kBufferSize = std::size_t{32} * 1024;
    net::Loop loop(kBufferSize);
    scan::Target target = find(loop, *address, *limit);
    scan::Scanner scanner(loop, target, &trusted, now_);
    if (!scan::run_within(loop, *limit, scanner.run()))
      scanner.report().problems.push_back(
          fmt::format("it took longer than {}: what is missing was not asked", max_time_));
    const Report& report = scanner.report();
    if (report.protocols.empty() && !report.problems.empty())
      fail_cert(fmt::format("{}: {}", config::printable(server_), config::printable(report.problems.front())));
    const Grade grade = scan::grade(report);
    write_output(is_json_ ? dump(json_of(report, grade)) : text_of(report, grade));
    return is_good_enough(grade) ? kOk : kRuntime;
  }

 private:
  scan::Target find(net::Loop& loop, const HostPort& address, Duration limit) const {
    Result<scan::Target> target =
        rproxy::fail(ErrorCode::kResolveFailed, Side::kLocal, Retry::kNever, "no answer in time");
    const auto look = [](net::Loop& on, const HostPort& what, const RemoteOptions& how,
                         Result<scan::Target>& out) -> net::Task<void> {
      out = co_await scan::find_target(on, what, how.server_name, how.limit());
    };
    scan::run_within(loop, limit, look(loop, address, remote_, target));
    return take(std::move(target));
  }

  bool is_good_enough(const Grade& grade) const {
    constexpr std::string_view kGrades[] = {"A+", "A", "B", "C", "F"};
    const auto rank = [&](std::string_view letter) { return std::ranges::find(kGrades, letter) - std::begin(kGrades); };
    return required_.empty() || rank(grade.letter) <= rank(required_);
  }

  std::string text_of(const Report& report, const Grade& grade) const {
    std::string out = fmt::format("{}: grade {}\n\n", config::printable(server_), grade.letter);
    out += cert_field("address", report.address);
    for (const scan::Protocol& protocol : report.protocols) {
      std::string label = scan::version_name(protocol.version);
      for (const std::uint16_t cipher : protocol.ciphers) out += cert_field(std::exchange(label, ""), marked(cipher));
      if (protocol.ciphers.size() > 1)
        out += cert_field("", protocol.prefers_own ? "in the server's order" : "in the order that the client likes");
      if (protocol.ciphers.empty()) out += cert_field(label, "spoken");
    }
    if (!report.groups.empty()) out += cert_field("groups", groups_of(report));
    if (report.dh_bits != 0) out += cert_field("DH", fmt::format("{} bits", report.dh_bits));
    out += cert_field("ALPN", report.alpn.empty() ? "neither h2 nor http/1.1" : joined(report.alpn));
    out += cert_field("resumption",
                      fmt::format("TLS 1.3: {}, TLS 1.2 tickets: {}, TLS 1.2 ids: {}", said(report.resumption.tls13),
                                  said(report.resumption.tls12_ticket), said(report.resumption.tls12_id)));
    out += cert_field("early data", report.early_data ? fmt::format("{} bytes", report.early_data_max) : "no");
    out += cert_field("compression", said(report.compression));
    out += cert_field("renegotiation", fmt::format("secure: {}", said(report.renegotiation)));
    out += cert_field("fallback", fmt::format("refused: {}", said(report.fallback)));
    out += cert_field("OCSP", report.ocsp ? "stapled: " + report.ocsp->status : "not stapled");
    if (report.is_http) out += cert_field("HSTS", report.hsts.empty() ? "none" : report.hsts);
    for (const std::string& each : report.problems) out += cert_field("problem", each);
    if (!report.chain.empty()) out += "\n" + chain_tree(report.chain, now_);
    if (!grade.reasons.empty()) out += "\n";
    for (const scan::Reason& each : grade.reasons) {
      out += cert_field(each.grade.empty() ? "note" : "at best " + each.grade,
                        fmt::format("{} [{}]", each.text, each.word), 0);
      out += cert_field("", each.remedy, 0);
    }
    return out;
  }

  std::string server_;
  RemoteOptions remote_;
  std::string max_time_ = "1m";
  std::string authorities_;
  std::string required_;
  bool is_json_ = false;
  WallTime now_;
};

}  // namespace

std::unique_ptr<Command> make_cert_scan(CLI::App& cert) { return std::make_unique<Scan>(cert); }

}  // namespace rproxy::cli
