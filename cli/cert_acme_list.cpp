// rproxy cert acme list.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/cert_acme.h"
#include "cli/output.h"
#include "config/text.h"
#include "x509/facts.h"

namespace rproxy::cli {
namespace {

constexpr std::size_t kWidth = 80;
constexpr std::size_t kNameMax = 27;

struct Kept {
  std::string server;
  std::string name;
  std::string file;
  std::shared_ptr<const x509::CertifiedKey> key;  // null: it can't be read
  std::string problem{};
  acme::Progress progress{};
  WallTime renew_at{};
};

std::string cut(const std::string& text, std::size_t width) {
  return text.size() <= width ? text : text.substr(0, width - 3) + "...";
}

// The shortest word for who has issued it.
std::string issuer_of(const x509::Certificate& leaf) {
  const X509_NAME* const issuer = X509_get_issuer_name(leaf.native());
  std::string name = x509::entry_of(issuer, NID_commonName);
  const std::string organization = x509::entry_of(issuer, NID_organizationName);
  if (!organization.empty() && name.size() < 5) name = organization + " " + name;
  return name.empty() ? organization : name;
}

class List final : public Command {
 public:
  explicit List(CLI::App& acme) {
    auto* command = acme.add_subcommand("list", "Show what is kept, and when it is due");
    flags_.add_to(*command);
    command->add_flag("--json", is_json_, "As JSON");
    command->footer("Without --directory and --config those of all authorities.");
  }

  int run() override {
    const AcmeChoice choice = flags_.choose();
    const std::string& storage = choice.options.storage;
    std::vector<std::string> servers = acme::Store::servers(storage);
    if (flags_.has_directory()) {
      servers.clear();
      if (acme::Store::has(storage, choice.options.directory)) servers.push_back(choice.options.directory);
    }
    std::vector<Kept> all;
    for (const std::string& server : servers) add(choice.options, server, all);
    if (is_json_) {
      write_output(dump(json_of(storage, all)));
    } else if (all.empty()) {
      fmt::print(stderr, "there are no certificates in {}\n", config::printable(storage));
    } else {
      write_output(text_of(all));
    }
    return kOk;
  }

 private:
  static void add(const acme::Options& options, const std::string& server, std::vector<Kept>& all) {
    const auto store = take(acme::Store::open(options.storage, server));
    for (const std::string& name : store.names()) {
      Kept kept{server, name, store.certificate_file(name), nullptr};
      auto key = store.certificate(name);
      kept.progress = store.progress(name);
      if (key && *key != nullptr) {
        kept.key = std::move(*key);
        kept.renew_at = acme::renewal_of(kept.key->leaf(), kept.progress, options);
      } else {
        kept.problem = key ? "it has gone" : reason_of(key.error());
      }
      all.push_back(std::move(kept));
    }
  }

  static std::string text_of(const std::vector<Kept>& all) {
    const auto now = std::chrono::system_clock::now();
    std::string out;
    std::string server;
    for (const Kept& kept : all) {
      if (kept.server != server) {
        out += fmt::format("{}{}\n", server.empty() ? "" : "\n", config::printable(kept.server));
        out += fmt::format("  {:<{}} {:<10} {:<8} {:<9} {}\n", "NAME", kNameMax, "ENDS", "LEFT", "RENEWAL", "ISSUER");
        server = kept.server;
      }
      out += row_of(kept, now);
    }
    return out;
  }

  static std::string row_of(const Kept& kept, WallTime now) {
    const auto more = kept.key != nullptr ? acme::names_of(kept.key->leaf()).size() - 1 : 0;
    const std::string name = config::printable(kept.name) + (more > 0 ? fmt::format(" +{}", more) : "");
    // A long one has a line of its own.
    std::string out = "  " + name + (name.size() > kNameMax ? "\n  " + std::string(kNameMax, ' ') : "");
    if (name.size() < kNameMax) out += std::string(kNameMax - name.size(), ' ');
    if (kept.key == nullptr) return out + " can't be read\n" + cert_field("", kept.problem, 2);
    const auto& leaf = kept.key->leaf();
    const bool is_over = leaf.not_after() <= now;
    const std::string fields = fmt::format(" {} {:<8} {:<9} ", time_text(leaf.not_after()).substr(0, 10),
                                           is_over ? "expired" : span_text(leaf.not_after() - now),
                                           kept.renew_at <= now ? "due" : "in " + span_text(kept.renew_at - now));
    out += fields + cut(config::printable(issuer_of(leaf)), kWidth - 2 - kNameMax - fields.size()) + "\n";
    if (kept.progress.failures > 0) {
      std::string text = fmt::format("{} in a row, the last: {}", kept.progress.failures, kept.progress.last_error);
      if (kept.progress.retry_at) text += fmt::format("; again {}", relative_time(*kept.progress.retry_at, now));
      out += cert_field("failures", text, 4);
    }
    return out;
  }

  // "89 d", "5 h", "12 min".
  static std::string span_text(WallTime::duration span) {
    const auto minutes = std::chrono::ceil<std::chrono::minutes>(span).count();
    constexpr long kHour = 60;
    constexpr long kDay = 24 * kHour;
    if (minutes >= 2 * kDay) return fmt::format("{} d", minutes / kDay);
    return minutes >= 2 * kHour ? fmt::format("{} h", minutes / kHour) : fmt::format("{} min", minutes);
  }

  static CertJson json_of(const std::string& storage, const std::vector<Kept>& all) {
    const auto now = std::chrono::system_clock::now();
    const auto time = [](const std::optional<WallTime>& at) { return at ? CertJson(json_time(*at)) : CertJson(); };
    CertJson json;
    json["storage"] = storage;
    json["certificates"] = CertJson::array();
    for (const Kept& kept : all) {
      const auto* const leaf = kept.key != nullptr ? &kept.key->leaf() : nullptr;
      CertJson each;
      each["server"] = kept.server;
      each["name"] = kept.name;
      each["names"] = leaf != nullptr ? CertJson(acme::names_of(*leaf, kept.name)) : CertJson::array();
      each["file"] = kept.file;
      each["problem"] = kept.problem.empty() ? CertJson() : CertJson(kept.problem);
      each["not_before"] = leaf != nullptr ? CertJson(json_time(leaf->not_before())) : CertJson();
      each["not_after"] = leaf != nullptr ? CertJson(json_time(leaf->not_after())) : CertJson();
      each["seconds_left"] =
          leaf != nullptr ? CertJson(std::chrono::duration_cast<std::chrono::seconds>(leaf->not_after() - now).count())
                          : CertJson();
      each["renew_at"] = leaf != nullptr ? CertJson(json_time(kept.renew_at)) : CertJson();
      each["is_due"] = leaf == nullptr || kept.renew_at <= now;
      each["issuer"] = leaf != nullptr ? CertJson(x509::facts_of(*leaf).issuer) : CertJson();
      each["key"] = leaf != nullptr ? CertJson(x509::describe_key(kept.key->key())) : CertJson();
      each["failures"] = kept.progress.failures;
      each["last_error"] = kept.progress.failures > 0 ? CertJson(kept.progress.last_error) : CertJson();
      each["retry_at"] = kept.progress.failures > 0 ? time(kept.progress.retry_at) : CertJson();
      json["certificates"].push_back(std::move(each));
    }
    return json;
  }

  AcmeFlags flags_;
  bool is_json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_cert_acme_list(CLI::App& acme) { return std::make_unique<List>(acme); }

}  // namespace rproxy::cli
