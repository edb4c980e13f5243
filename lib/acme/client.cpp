#include "acme/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "acme/failed.h"
#include "base/address.h"
#include "http/date.h"
#include "jose/base64url.h"
#include "jose/jws.h"

namespace rproxy::acme {

using nlohmann::json;
using upstream::FetchedAnswer;

namespace {

// A server may refuse one now and then (RFC 8555 6.5); one that refuses so many refuses all.
constexpr int kNoncesMax = 12;
constexpr std::size_t kSpareNonces = 4;
constexpr std::chrono::seconds kRetryMax{86'400};

bool is_success(const FetchedAnswer& answer) { return answer.status >= 200 && answer.status < 300; }

Failure refusal(const FetchedAnswer& answer) {
  Problem problem = parse_problem(answer.content);
  const Retry retry = answer.status >= 500 ? Retry::kIdempotent : Retry::kNever;
  Failure failure(Error(ErrorCode::kBadResponse, Side::kUpstream, retry, 0, fmt::format("HTTP {}", answer.status)),
                  std::move(problem));
  failure.retry_after = retry_after(answer.get("Retry-After"), now());
  return failure;
}

json identifier_of(const std::string& name) {
  const bool is_address = IpAddress::parse(name).has_value();
  return {{"type", is_address ? "ip" : "dns"}, {"value", name}};
}

std::string contacts_request(const std::vector<std::string>& contacts) { return json{{"contact", contacts}}.dump(); }

std::string account_request(const std::vector<std::string>& contacts, bool only_existing, const std::string& external) {
  json request = {{"termsOfServiceAgreed", true}};
  if (!contacts.empty()) request["contact"] = contacts;
  if (only_existing) request["onlyReturnExisting"] = true;
  if (!external.empty()) request["externalAccountBinding"] = json::parse(external);
  return request.dump();
}

}  // namespace

std::string Failure::text() const {
  std::string text = subject.empty() ? "" : subject + ": ";
  if (!problem) return text + describe(error);
  text += problem->word().empty() ? error.context : std::string(problem->word());
  text += ": " + problem->text();
  if (retry_after) text += fmt::format(" (again after {} s)", retry_after->count());
  return text;
}

std::optional<std::chrono::seconds> retry_after(std::string_view value, WallTime now) {
  if (value.empty()) return std::nullopt;
  std::chrono::seconds wait{0};
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), count);
  if (error == std::errc() && end == value.data() + value.size()) {
    wait = std::chrono::seconds{count};
  } else if (const auto date = http::parse_date(value, std::chrono::system_clock::to_time_t(now))) {
    wait = std::chrono::seconds{*date - std::chrono::system_clock::to_time_t(now)};
  } else {
    return std::nullopt;
  }
  return std::clamp(wait, std::chrono::seconds{0}, kRetryMax);
}

std::string key_authorization(std::string_view token, const jose::SigningKey& key) {
  return fmt::format("{}.{}", token, key.thumbprint());
}

Client::Client(upstream::Fetcher& fetcher, const jose::SigningKey& key, std::string directory)
    : fetcher_(fetcher), key_(&key), directory_url_(std::move(directory)) {}

void Client::keep_nonce(const FetchedAnswer& answer) {
  const std::string_view nonce = answer.get("Replay-Nonce");
  // RFC 8555 6.5.1: what is no Base64url is no nonce.
  if (is_token(nonce) && nonces_.size() < kSpareNonces) nonces_.emplace_back(nonce);
}

net::Task<Outcome<FetchedAnswer>> Client::get(std::string url) {
  auto answer = co_await fetcher_.fetch(upstream::FetchCall("GET", std::move(url)));
  if (!answer) co_return failed(std::move(answer.error()));
  if (!is_success(*answer)) co_return failed(refusal(*answer));
  co_return std::move(*answer);
}

net::Task<Outcome<void>> Client::open() {
  auto answer = co_await get(directory_url_);
  if (!answer) co_return failed(std::move(answer.error()));
  auto parsed = parse_directory(answer->content);
  if (!parsed) co_return failed(std::move(parsed.error()));
  directory_ = std::move(*parsed);
  co_return Outcome<void>();
}

net::Task<Outcome<std::string>> Client::nonce() {
  if (nonces_.empty()) {
    auto answer = co_await fetcher_.fetch(upstream::FetchCall("HEAD", directory_.new_nonce));
    if (!answer) co_return failed(std::move(answer.error()));
    keep_nonce(*answer);
    if (nonces_.empty() && !is_success(*answer)) co_return failed(refusal(*answer));
    if (nonces_.empty()) co_return bad_answer("the ACME server gives no nonce");
  }
  std::string nonce = std::move(nonces_.back());
  nonces_.pop_back();
  co_return nonce;
}

Outcome<std::string> Client::signed_body(const std::string& url, std::string_view payload, By by,
                                         std::string_view nonce) const {
  json header = {{"alg", key_->algorithm()}, {"nonce", nonce}, {"url", url}};
  if (by == By::kKey) {
    header["jwk"] = json::parse(key_->jwk());
  } else {
    header["kid"] = account_;
  }
  auto body = jose::sign_flattened(*key_, header.dump(), payload);
  if (!body) return failed(std::move(body.error()));
  return std::move(*body);
}

// An empty payload asks for what is there ("POST-as-GET", RFC 8555 6.3).
net::Task<Outcome<FetchedAnswer>> Client::post(std::string url, std::string payload, By by) {
  for (int left = kNoncesMax;; --left) {
    auto fresh = co_await nonce();
    if (!fresh) co_return failed(std::move(fresh.error()));
    auto body = signed_body(url, payload, by, *fresh);
    if (!body) co_return failed(std::move(body.error()));
    upstream::FetchCall call("POST", url);
    call.fields = {{"Content-Type", "application/jose+json"}};
    call.content = std::move(*body);
    auto answer = co_await fetcher_.fetch(std::move(call));
    if (!answer) co_return failed(std::move(answer.error()));
    keep_nonce(*answer);
    if (is_success(*answer)) co_return std::move(*answer);
    Failure failure = refusal(*answer);
    if (failure.problem->word() != "badNonce" || left == 0) co_return failed(std::move(failure));
  }
}

net::Task<Outcome<std::string>> Client::sign_up(std::vector<std::string> contacts,
                                                std::optional<ExternalAccount> external, bool only_existing) {
  std::string binding;
  if (external) {
    const auto secret = jose::decode_base64url(external->hmac_key);
    if (!secret) {
      co_return failed(
          Error(ErrorCode::kConfig, Side::kLocal, Retry::kNever, 0, "the external account's key is no Base64url"));
    }
    const json header = {{"alg", "HS256"}, {"kid", external->key_id}, {"url", directory_.new_account}};
    binding = jose::sign_flattened_hmac(*secret, header.dump(), key_->jwk());
  }
  auto answer = co_await post(directory_.new_account, account_request(contacts, only_existing, binding), By::kKey);
  if (!answer) co_return failed(std::move(answer.error()));
  std::string url(answer->get("Location"));
  if (!upstream::Url::parse(url)) co_return bad_answer("the ACME server does not say where the account is");
  account_ = url;
  co_return url;
}

net::Task<Outcome<std::string>> Client::account(std::optional<std::vector<std::string>> contacts) {
  std::string request = contacts ? contacts_request(*contacts) : std::string();
  auto answer = co_await post(account_, std::move(request));
  if (!answer) co_return failed(std::move(answer.error()));
  co_return std::move(answer->content);
}

net::Task<Outcome<void>> Client::deactivate() {
  auto answer = co_await post(account_, R"({"status":"deactivated"})");
  if (!answer) co_return failed(std::move(answer.error()));
  co_return Outcome<void>();
}

net::Task<Outcome<void>> Client::change_key(const jose::SigningKey& key) {
  if (directory_.key_change.empty()) co_return bad_answer("the ACME server changes no keys");
  const json header = {{"alg", key.algorithm()}, {"jwk", json::parse(key.jwk())}, {"url", directory_.key_change}};
  const json payload = {{"account", account_}, {"oldKey", json::parse(key_->jwk())}};
  auto inner = jose::sign_flattened(key, header.dump(), payload.dump());
  if (!inner) co_return failed(std::move(inner.error()));
  auto answer = co_await post(directory_.key_change, std::move(*inner));
  if (!answer) co_return failed(std::move(answer.error()));
  key_ = &key;
  co_return Outcome<void>();
}

net::Task<Outcome<Placed>> Client::placed(std::string url, std::string payload) {
  auto answer = co_await post(url, std::move(payload));
  if (!answer) co_return failed(std::move(answer.error()));
  auto order = parse_order(answer->content);
  if (!order) co_return failed(std::move(order.error()));
  Placed made;
  made.url = answer->get("Location");
  made.order = std::move(*order);
  made.retry_after = retry_after(answer->get("Retry-After"), now());
  co_return made;
}

net::Task<Outcome<Placed>> Client::place_order(std::vector<std::string> names, std::string profile,
                                               std::string replaces) {
  json request = {{"identifiers", json::array()}};
  for (const std::string& name : names) request["identifiers"].push_back(identifier_of(name));
  if (!profile.empty()) request["profile"] = profile;
  if (!replaces.empty()) request["replaces"] = replaces;
  auto made = co_await placed(directory_.new_order, request.dump());
  if (made && !upstream::Url::parse(made->url)) co_return bad_answer("the ACME server does not say where the order is");
  co_return made;
}

net::Task<Outcome<Placed>> Client::order(std::string url) {
  auto made = co_await placed(url, "");
  if (made) made->url = url;
  co_return made;
}

net::Task<Outcome<Authorization>> Client::authorization(std::string url) {
  auto answer = co_await post(std::move(url), "");
  if (!answer) co_return failed(std::move(answer.error()));
  auto authorization = parse_authorization(answer->content);
  if (!authorization) co_return failed(std::move(authorization.error()));
  authorization->retry_after = retry_after(answer->get("Retry-After"), now());
  co_return std::move(*authorization);
}

net::Task<Outcome<void>> Client::deactivate_authorization(std::string url) {
  auto answer = co_await post(std::move(url), R"({"status":"deactivated"})");
  if (!answer) co_return failed(std::move(answer.error()));
  co_return Outcome<void>();
}

net::Task<Outcome<void>> Client::begin(std::string challenge_url) {
  auto answer = co_await post(std::move(challenge_url), "{}");
  if (!answer) co_return failed(std::move(answer.error()));
  co_return Outcome<void>();
}

net::Task<Outcome<Placed>> Client::finalize(std::string url, std::string csr_der) {
  return placed(std::move(url), json{{"csr", jose::encode_base64url(csr_der)}}.dump());
}

net::Task<Outcome<std::string>> Client::certificate(std::string url) {
  auto answer = co_await post(std::move(url), "");
  if (!answer) co_return failed(std::move(answer.error()));
  co_return std::move(answer->content);
}

net::Task<Outcome<void>> Client::revoke(std::string certificate_der, int reason) {
  if (directory_.revoke_cert.empty()) co_return bad_answer("the ACME server revokes no certificates");
  const json request = {{"certificate", jose::encode_base64url(certificate_der)}, {"reason", reason}};
  auto answer = co_await post(directory_.revoke_cert, request.dump(), account_.empty() ? By::kKey : By::kAccount);
  if (!answer) co_return failed(std::move(answer.error()));
  co_return Outcome<void>();
}

net::Task<Outcome<Client::Suggested>> Client::renewal_info(std::string id) {
  auto answer = co_await get(directory_.renewal_info + "/" + id);
  if (!answer) co_return failed(std::move(answer.error()));
  auto info = parse_renewal_info(answer->content);
  if (!info) co_return failed(std::move(info.error()));
  Suggested suggested;
  suggested.info = std::move(*info);
  suggested.retry_after = retry_after(answer->get("Retry-After"), now());
  co_return suggested;
}

}  // namespace rproxy::acme
