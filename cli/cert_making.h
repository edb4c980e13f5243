// What the commands that make certificates have in common.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/cert.h"
#include "x509/subject_name.h"

namespace CLI {
class App;
}

namespace rproxy::cli {

// A key of its own, or one that is there.
struct KeyOptions {
  std::string type = "p256";
  std::string file;     // --key: use it
  std::string out;      // --keyout
  std::string passin;   // of `file`
  std::string passout;  // of `out`

  void add_to(CLI::App& command, const std::string& default_out);
  // One that is there, or a new one.
  x509::KeyPtr get() const;
  bool is_new() const { return file.empty(); }
  void add_file(NewFiles& files, const EVP_PKEY* key, const std::string& path) const;
};

struct Span {
  WallTime begin;
  WallTime end;
};

// --days, --not-before, --not-after.
struct SpanOptions {
  std::optional<int> days;
  std::string not_before;
  std::string not_after;

  void add_to(CLI::App& command, const char* days_meaning);
  // What is not said is as usual, and within what the issuer has (null: no issuer).
  Span get(WallTime now, int usual_days, const x509::Certificate* issuer) const;
};

// --ca, --ca-key, --passin.
struct IssuerOptions {
  std::string cert;
  std::string key;
  std::string passin;

  void add_to(CLI::App& command);
  bool is_given() const { return !cert.empty(); }
};

// An authority as it is in files: its certificate, then those it was issued by.
struct LoadedIssuer {
  std::vector<x509::Certificate> chain;
  x509::KeyPtr key;

  x509::Issuer issuer() const { return {chain.front(), key.get()}; }
  // What servers send behind one that it has issued: all but a root.
  std::string chain_pem() const;
};
LoadedIssuer load_issuer(const IssuerOptions& options);

// --usage.
void add_usage(CLI::App& command, std::vector<std::string>& usages);
x509::Purposes purposes_of(const std::vector<std::string>& usages);

std::vector<x509::SubjectName> parse_names(const std::vector<std::string>& texts);
// "shop.com", "_wildcard.shop.com": what files of it are called.
std::string file_stem(const x509::SubjectName& name);
void add_force(CLI::App& command, bool& is_forced);

// What was made, to standard error, so that "-" has standard output for itself.
void tell_made(const x509::Certificate& certificate, const std::vector<std::string>& files, WallTime now);

}  // namespace rproxy::cli
