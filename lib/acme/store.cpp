#include "acme/store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "acme/messages.h"
#include "jose/base64url.h"
#include "jose/signing_key.h"
#include "x509/new_file.h"
#include "x509/private_key.h"

namespace rproxy::acme {
namespace {

using nlohmann::json;
using x509::Access;
using x509::IfThere;

constexpr std::size_t kFileMax = std::size_t{256} * 1024;
constexpr mode_t kDirectoryMode = 0700;
constexpr std::string_view kPem = ".pem";
constexpr std::string_view kNextKey = "account.key.next";

tl::unexpected<Error> file_error(const std::string& path, int error) {
  return fail(Error(ErrorCode::kFile, Side::kLocal, Retry::kNever, error, path));
}

Result<void> make_directories(const std::string& path) {
  for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    if (::mkdir(part.c_str(), kDirectoryMode) != 0 && errno != EEXIST) return file_error(part, errno);
    if (slash == std::string::npos) return {};
  }
}

// Of orders that were ended with their process.
void remove_old_files(const std::string& directory) {
  std::error_code ignored;
  const auto old = std::filesystem::file_time_type::clock::now() - std::chrono::hours{24};
  for (const auto& entry : std::filesystem::directory_iterator(directory, ignored)) {
    if (entry.is_regular_file(ignored) && entry.last_write_time(ignored) < old)
      std::filesystem::remove(entry.path(), ignored);
  }
}

// "https://acme.org:14000/dir" as "acme.org_14000_dir": what may be in a file's name, and is told from others.
std::string name_of_server(std::string_view url) {
  if (const auto scheme = url.find("://"); scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  std::string name(url.substr(0, 200));
  while (name.ends_with('/')) name.pop_back();
  std::ranges::replace_if(
      name,
      [](char c) {
        return !(c == '.' || c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'));
      },
      '_');
  return name.starts_with('.') ? "_" + name : name;
}

// "*.shop.com" as "_wildcard.shop.com", which is no host's name. A long one gets its hash for its end, so that there is room for what is put
// behind it.
std::string file_of(const std::string& name) {
  constexpr std::size_t kNameMax = 180;
  std::string file = name.starts_with("*.") ? "_wildcard" + name.substr(1) : name;
  if (file.size() <= kNameMax) return file;
  const std::string hash = jose::encode_base64url(jose::sha256(file));
  return file.substr(0, kNameMax - hash.size()) + hash;
}
std::string name_of(const std::string& file) {
  constexpr std::string_view kWildcard = "_wildcard.";
  return file.starts_with(kWildcard) ? "*." + file.substr(kWildcard.size()) : file;
}

// Null: it is not there, or is none.
json read_json(const std::string& path) {
  const auto text = x509::read_file(path, kFileMax);
  return text ? json::parse(*text, nullptr, false) : json();
}

bool is_there(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

std::optional<WallTime> time_in(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return parse_time(found->get_ref<const std::string&>());
}

// Nothing where it is no list of texts.
std::optional<std::vector<std::string>> texts_in(const json& object, const char* name) {
  if (!object.is_object() || !object.contains(name) || !object[name].is_array()) return std::nullopt;
  std::vector<std::string> texts;
  for (const json& each : object[name]) {
    if (!each.is_string()) return std::nullopt;
    texts.push_back(each);
  }
  return texts;
}

Result<void> write_key(const std::string& file, const EVP_PKEY* key) {
  const auto pem = x509::private_key_pem(key);
  if (!pem) return fail(pem.error());
  return x509::write_new_file(file, pem->view(), Access::kPrivate, IfThere::kReplace);
}

}  // namespace

Result<Store> Store::open(const std::string& directory, std::string_view server) {
  Store store(directory, name_of_server(server));
  for (const char* const kind : {"accounts", "certificates", "locks"}) {
    if (auto made = make_directories(fmt::format("{}/{}/{}", directory, kind, store.server_)); !made) {
      return fail(std::move(made.error()));
    }
  }
  if (auto made = make_directories(directory + "/challenges"); !made) return fail(std::move(made.error()));
  remove_old_files(directory + "/challenges");
  return store;
}

std::vector<std::string> Store::servers(const std::string& directory) {
  std::vector<std::string> servers;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(directory + "/certificates", ignored)) {
    if (entry.is_directory(ignored)) servers.push_back(entry.path().filename());
  }
  std::ranges::sort(servers);
  return servers;
}

bool Store::has(const std::string& directory, std::string_view server) {
  return is_there(fmt::format("{}/accounts/{}", directory, name_of_server(server)));
}

Result<void> Store::check_writable(const std::string& directory) {
  std::string nearest = directory;
  while (!is_there(nearest) && nearest.find('/') != std::string::npos) nearest.erase(nearest.rfind('/'));
  if (nearest.empty()) nearest = "/";
  if (!is_there(nearest)) nearest = ".";
  if (::access(nearest.c_str(), W_OK | X_OK) != 0) return file_error(nearest, errno);
  return {};
}

std::string Store::path(std::string_view kind, std::string_view file) const {
  return fmt::format("{}/{}/{}/{}", directory_, kind, server_, file);
}

Result<std::optional<Account>> Store::account() const {
  const std::string file = path("accounts", "account.key");
  if (!is_there(file)) return std::nullopt;
  auto key = x509::load_key(file);
  if (!key) return fail(std::move(key.error()));
  const json known = read_json(path("accounts", "account.json"));
  Account account{std::move(*key), {}};
  if (known.is_object() && known.contains("url") && known["url"].is_string()) account.url = known["url"];
  account.contacts = texts_in(known, "contact");
  return account;
}

Result<void> Store::keep_account(const EVP_PKEY* key, const std::string& url,
                                 const std::optional<std::vector<std::string>>& contacts) const {
  if (auto done = write_key(path("accounts", "account.key"), key); !done) return done;
  json known = {{"url", url}};
  if (contacts) known["contact"] = *contacts;
  const std::string text = known.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
  return x509::write_new_file(path("accounts", "account.json"), text, Access::kPrivate, IfThere::kReplace);
}

Result<void> Store::remove_account() const {
  (void)::unlink(path("accounts", "account.json").c_str());
  const std::string file = path("accounts", "account.key");
  if (::unlink(file.c_str()) != 0) return file_error(file, errno);
  return {};
}

Result<x509::KeyPtr> Store::next_account_key() const {
  const std::string file = path("accounts", kNextKey);
  if (!is_there(file)) return x509::KeyPtr();
  return x509::load_key(file);
}

Result<void> Store::keep_next_account_key(const EVP_PKEY* key) const {
  return write_key(path("accounts", kNextKey), key);
}

void Store::remove_next_account_key() const { (void)::unlink(path("accounts", kNextKey).c_str()); }

std::string Store::certificate_file(const std::string& name) const {
  return path("certificates", file_of(name) + std::string(kPem));
}

Result<std::shared_ptr<const x509::CertifiedKey>> Store::certificate(const std::string& name) const {
  const std::string file = certificate_file(name);
  if (!is_there(file)) return nullptr;
  auto key = x509::CertifiedKey::load(file, file);
  if (!key) return fail(std::move(key.error()));
  return std::make_shared<const x509::CertifiedKey>(std::move(*key));
}

Result<void> Store::keep_certificate(const std::string& name, const EVP_PKEY* key, const std::string& chain_pem) const {
  const auto pem = x509::private_key_pem(key);
  if (!pem) return fail(pem.error());
  std::string text(pem->view());
  text += chain_pem;
  const auto both = x509::Secret::take(text);
  return x509::write_new_file(certificate_file(name), both.view(), Access::kPrivate, IfThere::kReplace);
}

// Each is a file of its own, put in the place of the one before.
std::uint64_t Store::certificate_stamp(const std::string& name) const {
  struct stat status {};
  if (::stat(certificate_file(name).c_str(), &status) != 0) return 0;
  const auto changed = static_cast<std::uint64_t>(status.st_ctim.tv_sec) * 1'000'000'000U +
                       static_cast<std::uint64_t>(status.st_ctim.tv_nsec);
  return changed ^ (static_cast<std::uint64_t>(status.st_ino) << 40U);
}

Result<void> Store::remove_certificate(const std::string& name) const {
  const std::string file = certificate_file(name);
  if (::unlink(file.c_str()) != 0) return file_error(file, errno);
  (void)::unlink(path("certificates", file_of(name) + ".json").c_str());
  return {};
}

void Store::forget(const std::string& name) const {
  const auto held = lock(name);
  if (!held || !*held) return;
  (void)::unlink(path("certificates", file_of(name) + ".json").c_str());
  (void)::unlink(path("locks", file_of(name)).c_str());
}

std::vector<std::string> Store::names() const {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(path("certificates", ""), ignored)) {
    const std::string file = entry.path().filename();
    if (file.ends_with(kPem) && !file.starts_with('.'))
      names.push_back(name_of(file.substr(0, file.size() - kPem.size())));
  }
  std::ranges::sort(names);
  return names;
}

Progress Store::progress(const std::string& name) const {
  const json known = read_json(path("certificates", file_of(name) + ".json"));
  Progress progress;
  if (!known.is_object()) return progress;
  const auto count_in = [&known](const char* member) -> std::uint32_t {
    const auto found = known.find(member);
    if (found == known.end() || !found->is_number_unsigned()) return 0;
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(found->get<std::uint64_t>(), 1000));
  };
  progress.failures = count_in("failures");
  progress.early = count_in("early");
  for (const auto& [member, text] :
       {std::pair("last_error", &progress.last_error), std::pair("profile", &progress.profile)}) {
    if (const auto found = known.find(member); found != known.end() && found->is_string()) *text = *found;
  }
  const auto on_demand = known.find("on_demand");
  progress.is_on_demand = on_demand != known.end() && on_demand->is_boolean() && *on_demand;
  progress.retry_at = time_in(known, "retry_at");
  progress.renew_at = time_in(known, "renew_at");
  progress.asked_at = time_in(known, "asked_at");
  return progress;
}

Result<void> Store::keep_progress(const std::string& name, const Progress& progress) const {
  json known = {{"failures", progress.failures}, {"early", progress.early}};
  if (!progress.last_error.empty()) known["last_error"] = progress.last_error;
  if (!progress.profile.empty()) known["profile"] = progress.profile;
  if (progress.is_on_demand) known["on_demand"] = true;
  if (progress.retry_at) known["retry_at"] = to_text(*progress.retry_at);
  if (progress.renew_at) known["renew_at"] = to_text(*progress.renew_at);
  if (progress.asked_at) known["asked_at"] = to_text(*progress.asked_at);
  // What a server has said may be no UTF-8.
  const std::string text = known.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
  return x509::write_new_file(path("certificates", file_of(name) + ".json"), text, Access::kPrivate, IfThere::kReplace);
}

// The kernel lets go of it where its holder ends, however it ends.
Result<Fd> Store::lock(const std::string& name) const {
  const std::string file = path("locks", file_of(name));
  Fd opened(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!opened) return file_error(file, errno);
  if (::flock(opened.get(), LOCK_EX | LOCK_NB) == 0) {
    struct stat status {};
    // It may have been forgotten meanwhile: a lock on what nobody finds is none.
    return ::fstat(opened.get(), &status) == 0 && status.st_nlink > 0 ? std::move(opened) : Fd();
  }
  if (errno == EWOULDBLOCK) return Fd();
  return file_error(file, errno);
}

Result<void> ChallengeFiles::put(const std::string& token, const std::string& authorization) const {
  return x509::write_new_file(fmt::format("{}/{}", directory_, token), authorization, Access::kPrivate,
                              IfThere::kReplace);
}

void ChallengeFiles::remove(const std::string& token) const {
  ::unlink(fmt::format("{}/{}", directory_, token).c_str());
}

std::string ChallengeFiles::find(const std::string& token) const {
  constexpr std::size_t kAuthorizationMax = 1024;
  return x509::read_file(fmt::format("{}/{}", directory_, token), kAuthorizationMax).value_or("");
}

}  // namespace rproxy::acme
