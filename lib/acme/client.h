// The client's side of ACME (RFC 8555): signed requests, one at a time, with nonces that are asked for again where the server refuses one.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "acme/messages.h"
#include "base/error.h"
#include "jose/signing_key.h"
#include "net/task.h"
#include "upstream/fetcher.h"

namespace rproxy::acme {

// Why something could not be had. Where the server has said why, its problem, and when to come again.
struct Failure {
  // Not an aggregate: GCC 12 destroys an aggregate's temporary twice within a co_await expression.
  explicit Failure(Error what) : error(std::move(what)) {}
  Failure(Error what, Problem why) : error(std::move(what)), problem(std::move(why)) {}

  Error error;
  std::optional<Problem> problem;
  std::optional<std::chrono::seconds> retry_after;
  std::string subject;  // what the problem is of, such as "shop.com was not validated"; empty: the request

  // Whether it is the server's problem of that name, such as "rateLimited".
  bool has_word(std::string_view word) const { return problem && problem->word() == word; }
  // For people and logs.
  std::string text() const;
};

template <typename T>
using Outcome = tl::expected<T, Failure>;

// RFC 8555 7.3.4.
struct ExternalAccount {
  std::string key_id;
  std::string hmac_key;  // Base64url, as the authority hands it out
  bool operator==(const ExternalAccount&) const = default;
};

struct Placed {
  Placed() = default;

  std::string url;
  Order order;
  std::optional<std::chrono::seconds> retry_after;
};

class Client {
 public:
  // `fetcher` and `key` outlive it. `directory` is the directory's URL.
  Client(upstream::Fetcher& fetcher, const jose::SigningKey& key, std::string directory);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // First of all.
  net::Task<Outcome<void>> open();
  const Directory& directory() const { return directory_; }
  const jose::SigningKey& key() const { return *key_; }

  // The account's URL: of a new one, or of the one that this key has (7.3.1). `contacts`: "mailto:ops@shop.com". The terms of service are
  // agreed to.
  net::Task<Outcome<std::string>> sign_up(std::vector<std::string> contacts, std::optional<ExternalAccount> external,
                                          bool only_existing = false);
  // Whose requests these are from now on.
  void use_account(std::string url) { account_ = std::move(url); }
  // The account as the server has it, JSON; with `contacts` they are set before.
  net::Task<Outcome<std::string>> account(std::optional<std::vector<std::string>> contacts = std::nullopt);
  net::Task<Outcome<void>> deactivate();
  // From now on the account's key is that one (7.3.5), which outlives the client.
  net::Task<Outcome<void>> change_key(const jose::SigningKey& key);

  // Names of hosts and addresses (RFC 8738). `profile`, `replaces`: empty, or as of RFC 9773 5.
  net::Task<Outcome<Placed>> place_order(std::vector<std::string> names, std::string profile, std::string replaces);
  net::Task<Outcome<Placed>> order(std::string url);
  net::Task<Outcome<Authorization>> authorization(std::string url);
  net::Task<Outcome<void>> deactivate_authorization(std::string url);
  net::Task<Outcome<void>> begin(std::string challenge_url);
  net::Task<Outcome<Placed>> finalize(std::string url, std::string csr_der);
  // PEM: the certificate, then its chain.
  net::Task<Outcome<std::string>> certificate(std::string url);
  // Without an account by the client's key, which is the certificate's then (7.6).
  net::Task<Outcome<void>> revoke(std::string certificate_der, int reason);

  struct Suggested {
    Suggested() = default;
    RenewalInfo info;
    std::optional<std::chrono::seconds> retry_after;
  };
  // RFC 9773 4.1; `id` as certificate_id() makes it.
  net::Task<Outcome<Suggested>> renewal_info(std::string id);

 private:
  enum class By : std::uint8_t { kAccount, kKey };

  net::Task<Outcome<upstream::FetchedAnswer>> post(std::string url, std::string payload, By by = By::kAccount);
  net::Task<Outcome<upstream::FetchedAnswer>> get(std::string url);
  net::Task<Outcome<std::string>> nonce();
  Outcome<std::string> signed_body(const std::string& url, std::string_view payload, By by,
                                   std::string_view nonce) const;
  void keep_nonce(const upstream::FetchedAnswer& answer);
  net::Task<Outcome<Placed>> placed(std::string url, std::string payload);

  upstream::Fetcher& fetcher_;
  const jose::SigningKey* key_;
  const std::string directory_url_;
  Directory directory_;
  std::string account_;
  std::vector<std::string> nonces_;
};

// Of Retry-After, a number of seconds or a date (RFC 9110 10.2.3), no longer than a day.
std::optional<std::chrono::seconds> retry_after(std::string_view value, WallTime now);

// What a client answers a challenge with (RFC 8555 8.1).
std::string key_authorization(std::string_view token, const jose::SigningKey& key);

}  // namespace rproxy::acme
