#include "acme/messages.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace rproxy::acme {
namespace {

using nlohmann::json;

constexpr std::size_t kUrlMax = 2048;
constexpr std::size_t kTextMax = 1024;
constexpr std::size_t kListMax = 200;
constexpr std::size_t kTokenMax = 128;
constexpr std::string_view kErrorPrefix = "urn:ietf:params:acme:error:";

tl::unexpected<Error> lacks(std::string_view what, std::string_view member) {
  return fail(ErrorCode::kBadResponse, Side::kUpstream, Retry::kNever,
              fmt::format("the ACME server's {} has no {}", what, member));
}

json parse(std::string_view text) { return json::parse(text, nullptr, false); }

const json* find(const json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found != object.end() ? &*found : nullptr;
}

// Of a string, and cut.
std::string printable(const json& value) {
  std::string text = value.get_ref<const std::string&>().substr(0, kTextMax);
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, ' ');
  return text;
}

std::string text_of(const json& object, const char* name) {
  const json* const value = find(object, name);
  return value != nullptr && value->is_string() ? printable(*value) : std::string();
}

// "" where there is none, or what cannot be one.
std::string url_of(const json& value) {
  if (!value.is_string()) return {};
  const auto& text = value.get_ref<const std::string&>();
  const bool is_sound =
      text.size() <= kUrlMax && text.starts_with("https://") &&  // RFC 8555 6.1

      std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f' && c != '"' && c != '\\'; });
  return is_sound ? text : std::string();
}

std::string url_of(const json& object, const char* name) {
  const json* const value = find(object, name);
  return value != nullptr ? url_of(*value) : std::string();
}

Status status_of(const json& object) {
  const std::string text = text_of(object, "status");
  if (text == "pending") return Status::kPending;
  if (text == "ready") return Status::kReady;
  if (text == "processing") return Status::kProcessing;
  if (text == "valid") return Status::kValid;
  if (text == "invalid") return Status::kInvalid;
  return Status::kOther;
}

Problem problem_of(const json& object) {
  Problem problem;
  problem.type = text_of(object, "type");
  problem.detail = text_of(object, "detail");
  const json* const parts = find(object, "subproblems");
  if (parts == nullptr || !parts->is_array()) return problem;
  for (const json& part : *parts) {
    if (problem.parts.size() >= kListMax) break;
    const json* const identifier = find(part, "identifier");
    const std::string name = identifier != nullptr ? text_of(*identifier, "value") : std::string();
    const std::string detail = text_of(part, "detail");
    problem.parts.push_back(name.empty() ? detail : fmt::format("{}: {}", name, detail));
  }
  return problem;
}

std::optional<Problem> error_of(const json& object) {
  const json* const error = find(object, "error");
  if (error == nullptr || !error->is_object()) return std::nullopt;
  return problem_of(*error);
}

Challenge challenge_of(const json& object) {
  Challenge challenge;
  challenge.type = text_of(object, "type");
  challenge.url = url_of(object, "url");
  challenge.token = text_of(object, "token");
  challenge.status = status_of(object);
  challenge.problem = error_of(object);
  return challenge;
}

}  // namespace

std::string_view Problem::word() const {
  const std::string_view text(type);
  return text.starts_with(kErrorPrefix) ? text.substr(kErrorPrefix.size()) : std::string_view();
}

std::string Problem::text() const {
  std::string text = detail.empty() ? type : detail;
  for (const auto& part : parts) text += "; " + part;
  return text;
}

Result<Directory> parse_directory(std::string_view text) {
  const json object = parse(text);
  Directory directory;
  directory.new_nonce = url_of(object, "newNonce");
  directory.new_account = url_of(object, "newAccount");
  directory.new_order = url_of(object, "newOrder");
  directory.revoke_cert = url_of(object, "revokeCert");
  directory.key_change = url_of(object, "keyChange");
  directory.renewal_info = url_of(object, "renewalInfo");
  if (directory.new_nonce.empty()) return lacks("directory", "newNonce");
  if (directory.new_account.empty()) return lacks("directory", "newAccount");
  if (directory.new_order.empty()) return lacks("directory", "newOrder");
  const json* const meta = find(object, "meta");
  if (meta == nullptr) return directory;
  directory.terms_of_service = url_of(*meta, "termsOfService");
  const json* const external = find(*meta, "externalAccountRequired");
  directory.needs_external_account = external != nullptr && external->is_boolean() && external->get<bool>();
  const json* const profiles = find(*meta, "profiles");
  if (profiles == nullptr || !profiles->is_object()) return directory;
  for (const auto& [name, _] : profiles->items()) {
    if (directory.profiles.size() < kListMax && name.size() <= kTextMax)
      directory.profiles[name] = text_of(*profiles, name.c_str());
  }
  return directory;
}

Result<Order> parse_order(std::string_view text) {
  const json object = parse(text);
  Order order;
  order.status = status_of(object);
  order.finalize = url_of(object, "finalize");
  order.certificate = url_of(object, "certificate");
  order.problem = error_of(object);
  if (order.status == Status::kOther) return lacks("order", "status");
  if (order.finalize.empty()) return lacks("order", "finalize");
  const json* const authorizations = find(object, "authorizations");
  if (authorizations == nullptr || !authorizations->is_array()) return lacks("order", "authorizations");
  for (const json& each : *authorizations) {
    std::string url = url_of(each);
    if (url.empty() || order.authorizations.size() >= kListMax) return lacks("order", "sound authorizations");
    order.authorizations.push_back(std::move(url));
  }
  return order;
}

Result<Authorization> parse_authorization(std::string_view text) {
  const json object = parse(text);
  Authorization authorization;
  authorization.status = status_of(object);
  const json* const identifier = find(object, "identifier");
  if (identifier != nullptr) authorization.name = text_of(*identifier, "value");
  if (authorization.name.empty()) return lacks("authorization", "identifier");
  const json* const wildcard = find(object, "wildcard");
  authorization.is_wildcard = wildcard != nullptr && wildcard->is_boolean() && wildcard->get<bool>();
  const json* const challenges = find(object, "challenges");
  if (challenges == nullptr || !challenges->is_array()) return lacks("authorization", "challenges");
  for (const json& each : *challenges) {
    if (authorization.challenges.size() >= kListMax) break;
    Challenge challenge = challenge_of(each);
    if (!challenge.url.empty()) authorization.challenges.push_back(std::move(challenge));
  }
  return authorization;
}

Result<Challenge> parse_challenge(std::string_view text) {
  Challenge challenge = challenge_of(parse(text));
  if (challenge.url.empty()) return lacks("challenge", "url");
  return challenge;
}

Result<AccountState> parse_account(std::string_view text) {
  const json object = parse(text);
  AccountState account;
  account.status = text_of(object, "status");
  if (account.status.empty()) return lacks("account", "status");
  const json* const contacts = find(object, "contact");
  if (contacts == nullptr || !contacts->is_array()) return account;
  for (const json& each : *contacts) {
    if (account.contacts.size() < kListMax && each.is_string()) account.contacts.push_back(printable(each));
  }
  return account;
}

Result<RenewalInfo> parse_renewal_info(std::string_view text) {
  const json object = parse(text);
  const json* const window = find(object, "suggestedWindow");
  if (window == nullptr) return lacks("renewal information", "suggestedWindow");
  const auto start = parse_time(text_of(*window, "start"));
  const auto end = parse_time(text_of(*window, "end"));
  if (!start || !end || *end < *start) return lacks("renewal information", "sound window");
  return RenewalInfo{*start, *end, url_of(object, "explanationURL")};
}

Problem parse_problem(std::string_view text) {
  Problem problem = problem_of(parse(text));
  if (problem.type.empty() && problem.detail.empty()) problem.detail = "no reason is given";
  return problem;
}

bool is_token(std::string_view text) {
  const auto is_character = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  return !text.empty() && text.size() <= kTokenMax && std::ranges::all_of(text, is_character);
}

}  // namespace rproxy::acme
