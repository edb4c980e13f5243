#include "cli/cert_acme_making.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "acme/advice.h"
#include "acme/deploy_hook.h"
#include "cli/output.h"
#include "config/text.h"
#include "x509/facts.h"

namespace rproxy::cli {
namespace {

WallTime now() { return std::chrono::system_clock::now(); }

// Where nobody answers, nobody answers for the next name either.
bool is_unreachable(const acme::Failure& failure) {
  return !failure.problem &&
         (failure.error.side == Side::kUpstream || failure.error.code == ErrorCode::kResolveFailed ||
          failure.error.code == ErrorCode::kCannotBind) &&
         failure.error.code != ErrorCode::kBadResponse;
}

acme::Failure hook_failure(Error error) {
  error.context = "the certificate is there, but the deploy hook failed: " + error.context;
  return acme::Failure(std::move(error));
}

}  // namespace

void AcmeMaking::add_to(CLI::App& command) {
  flags_.add_to(command);
  flags_.add_account_to(command);
  flags_.add_proofs_to(command);
  command.add_option("--cert", files_.cert, "Write the certificate and its chain there, too")->type_name("FILE");
  command.add_option("--key", files_.key, "Write its key there, too")->type_name("FILE");
  command.add_option("--deploy-hook", deploy_hook_, "Run this for each new certificate")->type_name("CMD");
  command.add_flag("--dry-run", is_dry_, "Try it without keeping anything");
  command.add_flag("--json", is_json_, "As JSON");
  command.add_flag("-q,--quiet", is_quiet_, "Only what fails");
  command.add_flag("-f,--force", is_forced_, "Also what is not due; replace files");
}

int AcmeMaking::run(const AcmeChoice& choice, std::vector<Item> items) {
  if (goes_to_files() && items.size() > 1) refuse_cert("--cert and --key are for one certificate");
  if (files_.cert.empty() != files_.key.empty()) refuse_cert("--cert and --key go together");
  if (!deploy_hook_.empty() && acme::split_command(deploy_hook_).empty()) refuse_cert("--deploy-hook is empty");
  if (files_.cert == "-" || files_.key == "-") refuse_cert("--cert and --key are files");
  // Where there is nothing, not even the storage is made.
  if (!items.empty()) is_dry_ ? try_all(choice, items) : make_all(choice, items);
  if (is_json_) write_output(dump(json_of(choice)));
  return code();
}

// Before anything is asked for.
void AcmeMaking::check_files(const acme::Store& store, const Item& item) const {
  if (!goes_to_files() || is_forced_) return;
  const auto kept = store.certificate(item.names.front());
  const std::string file = acme::in_the_way(files_, item.names, kept ? kept->get() : nullptr);
  if (!file.empty())
    fail_cert(fmt::format("{} is there, and is of something else: move it away, or say --force", file));
}

void AcmeMaking::make_all(const AcmeChoice& choice, const std::vector<Item>& items) {
  AcmeRun run(choice, flags_, is_quiet_);
  const auto session = take(acme::Session::open(run.loop(), run.settings()));
  for (const Item& item : items) check_files(session->store(), item);
  bool is_over = false;
  for (const Item& item : items) {
    run.tell_of(item.names.front());
    Row row;
    if (is_over) {
      row.names = item.names;
      row.word = "skipped";
    } else {
      row = make(run, *session, item);
      is_over = row.failure && is_unreachable(*row.failure);
    }
    tell(row);
    rows_.push_back(std::move(row));
  }
}

AcmeMaking::Row AcmeMaking::make(AcmeRun& run, acme::Session& session, const Item& item) {
  Row row;
  row.names = item.names;
  auto had =
      run.wait(item.is_renewal ? session.renew(item.names.front(), is_forced_) : session.issue(item.names, is_forced_));
  if (!had) {
    row.word = "failed";
    row.failure = std::move(had.error());
    return row;
  }
  using How = acme::Had::How;
  row.word = had->how == How::kNotDue ? "not_due" : had->how == How::kIssued ? "issued" : "renewed";
  row.had = std::move(*had);
  const x509::Certificate& leaf = row.had->key->leaf();
  row.names = acme::names_of(leaf, item.names.front());
  row.renew_at = acme::renewal_of(leaf, row.had->progress, session.options());
  write_files(row);
  const bool is_new = row.had->how != How::kNotDue || !row.written.empty();
  if (is_new && !row.failure) deploy(session, row);
  return row;
}

// Also of one that was there already, where the files have another one, or none.
void AcmeMaking::write_files(Row& row) const {
  const x509::CertifiedKey& key = *row.had->key;
  if (!goes_to_files() || acme::has(files_, key)) return;
  if (auto done = acme::write(files_, key); !done) {
    row.failure = acme::Failure(std::move(done.error()));
    return;
  }
  row.written = {files_.cert, files_.key};
}

void AcmeMaking::deploy(const acme::Session& session, Row& row) const {
  if (deploy_hook_.empty()) return;
  acme::Deployed deployed;
  deployed.action = row.word == "not_due" ? "written" : row.word;
  deployed.names = row.names;
  deployed.cert_file = deployed.key_file = session.store().certificate_file(row.names.front());
  if (goes_to_files()) {
    deployed.cert_file = files_.cert;
    deployed.key_file = files_.key;
  }
  deployed.not_after = row.had->key->leaf().not_after();
  deployed.directory = session.options().directory;
  auto done = acme::run_hook(acme::deploy_hook(acme::split_command(deploy_hook_), deployed));
  if (!done) row.failure = hook_failure(std::move(done.error()));
}

void AcmeMaking::try_all(const AcmeChoice& choice, const std::vector<Item>& items) {
  AcmeRun run(choice, flags_, is_quiet_);
  const auto trial = take(acme::Trial::open(run.loop(), run.settings()));
  const acme::Trial::Ground ground = take(run.wait(trial->begin()));
  ground_ = ground.directory;
  if (!is_quiet_) {
    fmt::print(stderr, "dry run at {}, {}\n", ground.directory,
               ground.account.empty() ? "with an account for the trial alone" : "with the account " + ground.account);
  }
  for (const Item& item : items) {
    run.tell_of(item.names.front());
    Row row;
    row.names = item.names;
    row.word = ground.is_staging ? "would_issue" : ground.can_try_names ? "proven" : "skipped";
    if (ground.can_try_names) {
      auto done = run.wait(trial->attempt(item.names));
      if (!done) {
        row.word = "failed";
        row.failure = std::move(done.error());
      }
    }
    tell(row);
    rows_.push_back(std::move(row));
  }
  run.wait(trial->end());
}

void AcmeMaking::tell(const Row& row) const {
  if (is_json_) return;
  if (row.failure) {
    const std::string advice = acme::advice_for(*row.failure, now());
    fmt::print(stderr, "{}: {}: {}\n", config::printable(row.names.front()), row.word, failure_text(*row.failure));
    if (!advice.empty()) fmt::print(stderr, "  {}\n", advice);
    return;
  }
  if (is_quiet_) return;
  write_output(text_of(row));
}

std::string AcmeMaking::text_of(const Row& row) const {
  std::string out = config::printable(joined(row.names)) + ": ";
  if (!row.had) {
    if (row.word == "would_issue") return out + "would be issued\n";
    if (row.word == "proven") return out + "proven, and would be issued\n";
    return out + (is_dry_ ? "not tried: the external account may be good for once\n" : "not tried\n");
  }
  const auto& leaf = row.had->key->leaf();
  out += row.word == "not_due" ? "not due" : row.word;
  out += fmt::format(", ends {} ({})\n", time_text(leaf.not_after()), relative_time(leaf.not_after(), now()));
  if (row.word == "not_due")
    out += fmt::format("  to be renewed {}, at once by --force\n", relative_time(row.renew_at, now()));
  for (const std::string& file : row.written) out += "  written to " + config::printable(file) + "\n";
  return out;
}

CertJson AcmeMaking::json_of(const AcmeChoice& choice) const {
  CertJson json;
  json["directory"] = is_dry_ ? ground_ : choice.options.directory;
  json["dry_run"] = is_dry_;
  json["certificates"] = CertJson::array();
  for (const Row& row : rows_) {
    CertJson each;
    each["name"] = row.names.front();
    each["names"] = row.names;
    each["result"] = row.word;
    const auto* const leaf = row.had ? &row.had->key->leaf() : nullptr;
    each["not_before"] = leaf != nullptr ? CertJson(json_time(leaf->not_before())) : CertJson();
    each["not_after"] = leaf != nullptr ? CertJson(json_time(leaf->not_after())) : CertJson();
    each["renew_at"] = row.had ? CertJson(json_time(row.renew_at)) : CertJson();
    each["issuer"] = leaf != nullptr ? CertJson(x509::facts_of(*leaf).issuer) : CertJson();
    each["written"] = row.written;
    each["error"] = row.failure ? failure_json(*row.failure) : CertJson();
    json["certificates"].push_back(std::move(each));
  }
  return json;
}

int AcmeMaking::code() const {
  for (const Row& row : rows_) {
    if (row.failure) return exit_code_of(*row.failure);
  }
  const bool is_idle =
      std::ranges::all_of(rows_, [](const Row& row) { return row.word == "not_due" && row.written.empty(); });
  return is_idle ? kNothingDue : kOk;
}

}  // namespace rproxy::cli
