// What the commands of `rproxy cert` share: where they read from and write to, passwords, times, and how they fail.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "cli/command.h"
#include "x509/bundle.h"
#include "x509/issuing.h"
#include "x509/new_file.h"
#include "x509/private_key.h"

namespace rproxy::cli {

// Each adds itself to `cert`.
std::unique_ptr<Command> make_cert_create(CLI::App& cert);
std::unique_ptr<Command> make_cert_ca(CLI::App& cert);
std::unique_ptr<Command> make_cert_trust(CLI::App& cert);
std::unique_ptr<Command> make_cert_csr(CLI::App& cert);
std::unique_ptr<Command> make_cert_sign(CLI::App& cert);
std::unique_ptr<Command> make_cert_show(CLI::App& cert);
std::unique_ptr<Command> make_cert_verify(CLI::App& cert);
std::unique_ptr<Command> make_cert_check(CLI::App& cert);
std::unique_ptr<Command> make_cert_scan(CLI::App& cert);
std::unique_ptr<Command> make_cert_convert(CLI::App& cert);
std::unique_ptr<Command> make_cert_acme(CLI::App& cert);

// Thrown where a command can't go on; Cert::run() says it and ends with the code.
struct CertFailure {
  std::string what;
  int code = kRuntime;
  bool is_usage = false;
};
[[noreturn]] void fail_cert(const std::string& what);
[[noreturn]] void refuse_cert(const std::string& what);  // usage
// The value, or fail_cert() with the reason, in which files are named.
template <typename T>
T take(Result<T> result);
std::string reason_of(const Error& error);

// ---- Passwords: "env:NAME", "file:PATH" or "prompt", as in OpenSSL; the first line of a file.

// Asks on the terminal where `source` is empty and there is one. `of`: whose it is.
x509::PasswordSource password_from(const std::string& source, const std::string& of);
// One to be set; asked twice. Nothing: `source` is empty. Throws CertFailure.
std::optional<x509::Secret> new_password_from(const std::string& source, const std::string& of);

// ---- Files; "-" is standard input.

// Throws CertFailure where it can't be read, or is too large.
x509::Secret read_cert_file(const std::string& path);
x509::Bundle read_bundle(const std::string& path, const std::string& passin);

// All that a command makes: looked at before any of it is written, so that there is a certificate with its key or neither.
class NewFiles {
 public:
  explicit NewFiles(bool is_forced) : is_forced_(is_forced) {}
  void add(const std::string& path, x509::Secret content, x509::Access access);
  // Throws CertFailure, naming the file and what to do.
  void write() const;

 private:
  struct File {
    std::string path;
    x509::Secret content;
    x509::Access access;
  };
  void write(const File& file) const;

  std::vector<File> files_;
  bool is_forced_;
};

// ---- Times.

using WallTime = std::chrono::system_clock::time_point;
// "2026-11-27", "2026-11-27T10:00:00Z", or from now: "90d", "-12h".
std::optional<WallTime> parse_time(const std::string& text, WallTime now);
std::string time_text(WallTime time);  // "2026-11-27 10:00:00 UTC"
std::string json_time(WallTime time);  // "2026-11-27T10:00:00Z"
// "in 12 days", "in 3 hours", "5 days ago".
std::string relative_time(WallTime time, WallTime now);

// ---- Text.

// "  label         value", the value broken between words within 80 columns; what others wrote is escaped.
std::string cert_field(std::string_view label, const std::string& value, std::size_t indent = 2);
std::string joined(const std::vector<std::string>& parts, std::string_view between = ", ");

template <typename T>
T take(Result<T> result) {
  if (!result) fail_cert(reason_of(result.error()));
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

}  // namespace rproxy::cli
