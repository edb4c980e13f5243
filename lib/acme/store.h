// What is kept of an ACME server's: the account, certificates with their keys, and what is known of renewals. One directory for several
// servers and several instances of the proxy; every file is there whole or not at all, and readable by its owner alone.
//
//   accounts/SERVER/account.key, account.json      challenges/TOKEN
//   certificates/SERVER/NAME.pem, NAME.json        locks/SERVER/NAME
//
// A certificate is one file with its key, so that no crash parts them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "acme/progress.h"
#include "base/fd.h"
#include "base/result.h"
#include "x509/certified_key.h"

namespace rproxy::acme {

struct Account {
  x509::KeyPtr key;
  std::string url;                                     // empty: it has not signed up yet
  std::optional<std::vector<std::string>> contacts{};  // that the server has last been told of; nothing: not known
};

class Store {
 public:
  // `server` is a directory's URL. Makes the directories there are not. Errors: kFile.
  static Result<Store> open(const std::string& directory, std::string_view server);
  // The servers that certificates have been had from, sorted, each as open() takes it. None where there is no such directory.
  static std::vector<std::string> servers(const std::string& directory);
  // Whether open() would find something of that server.
  static bool has(const std::string& directory, std::string_view server);
  // Whether open() could make what it needs. Errors: kFile.
  static Result<void> check_writable(const std::string& directory);

  // Errors of all: kFile, kConfig (what is there is broken), naming the file. Nothing: there is none.
  Result<std::optional<Account>> account() const;
  Result<void> keep_account(const EVP_PKEY* key, const std::string& url,
                            const std::optional<std::vector<std::string>>& contacts = std::nullopt) const;
  Result<void> remove_account() const;
  // The key that the account is to have from now on, as long as the server may not have been told. Null: there is none.
  Result<x509::KeyPtr> next_account_key() const;
  Result<void> keep_next_account_key(const EVP_PKEY* key) const;
  void remove_next_account_key() const;

  Result<std::shared_ptr<const x509::CertifiedKey>> certificate(const std::string& name) const;  // null: none
  Result<void> keep_certificate(const std::string& name, const EVP_PKEY* key, const std::string& chain_pem) const;
  Result<void> remove_certificate(const std::string& name) const;
  std::vector<std::string> names() const;
  // What is known of a name that there is no certificate for, unless somebody is having one made.
  void forget(const std::string& name) const;
  std::string certificate_file(const std::string& name) const;
  // Another one when another certificate is kept; 0: there is none.
  std::uint64_t certificate_stamp(const std::string& name) const;

  // What is broken counts as nothing known.
  Progress progress(const std::string& name) const;
  Result<void> keep_progress(const std::string& name, const Progress& progress) const;

  // The right to have a certificate made, as long as it lives; not valid where another has it, process or thread.
  Result<Fd> lock(const std::string& name) const;

 private:
  Store(std::string directory, std::string server) : directory_(std::move(directory)), server_(std::move(server)) {}
  std::string path(std::string_view kind, std::string_view file) const;

  std::string directory_;
  std::string server_;  // as a directory's name
};

// What other instances answer HTTP challenges with: by files, as any of them may be asked.
class ChallengeFiles {
 public:
  explicit ChallengeFiles(const std::string& directory) : directory_(directory + "/challenges") {}

  Result<void> put(const std::string& token, const std::string& authorization) const;
  void remove(const std::string& token) const;
  // Waits for a disk; empty: there is none.
  std::string find(const std::string& token) const;

 private:
  std::string directory_;
};

}  // namespace rproxy::acme
