// What `issue` and `renew` have in common: certificates one after the other, files beside the storage, who is told, and what is said.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "acme/copies.h"
#include "acme/trial.h"
#include "cli/cert_acme.h"

namespace rproxy::cli {

class AcmeMaking {
 public:
  struct Item {
    std::vector<std::string> names;  // the one it is kept as first
    bool is_renewal = false;         // for the names that the one there has
  };

  void add_to(CLI::App& command);

  // All of them; the command's exit code. Throws CertFailure.
  int run(const AcmeChoice& choice, std::vector<Item> items);
  AcmeFlags& flags() { return flags_; }
  const AcmeFlags& flags() const { return flags_; }

 private:
  struct Row {
    std::vector<std::string> names;
    std::string word;              // issued, renewed, not_due, proven, would_issue, skipped, failed
    std::optional<acme::Had> had;  // where there is a certificate
    WallTime renew_at;
    std::vector<std::string> written;      // files
    std::optional<acme::Failure> failure;  // of having it, or of what is done with it
  };

  void check_files(const acme::Store& store, const Item& item) const;
  void make_all(const AcmeChoice& choice, const std::vector<Item>& items);
  void try_all(const AcmeChoice& choice, const std::vector<Item>& items);
  Row make(AcmeRun& run, acme::Session& session, const Item& item);
  void write_files(Row& row) const;
  void deploy(const acme::Session& session, Row& row) const;
  bool goes_to_files() const { return !files_.cert.empty() || !files_.key.empty(); }

  void tell(const Row& row) const;
  std::string text_of(const Row& row) const;
  CertJson json_of(const AcmeChoice& choice) const;
  int code() const;

  AcmeFlags flags_;
  acme::CopyFiles files_;
  std::string deploy_hook_;
  bool is_forced_ = false;
  bool is_dry_ = false;
  bool is_json_ = false;
  bool is_quiet_ = false;
  std::string ground_;  // of a dry run
  std::vector<Row> rows_;
};

}  // namespace rproxy::cli
