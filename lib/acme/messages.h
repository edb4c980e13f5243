// What an ACME server says (RFC 8555 7.1), read from JSON. Every text, list and URL is bounded; whatever is not understood is left out, whatever
// is missing that is needed is an error.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "acme/wall_time.h"
#include "base/result.h"

namespace rproxy::acme {

struct Directory {
  std::string new_nonce;
  std::string new_account;
  std::string new_order;
  std::string revoke_cert;   // empty: none
  std::string key_change;    // empty: none
  std::string renewal_info;  // RFC 9773; empty: none
  std::string terms_of_service;
  bool needs_external_account = false;
  std::map<std::string, std::string> profiles;  // with what is said of each
};

// RFC 7807, RFC 8555 6.7.
struct Problem {
  std::string type;  // "urn:ietf:params:acme:error:rateLimited"
  std::string detail;
  std::vector<std::string> parts;  // "shop.com: DNS problem: ..."

  // "rateLimited"; "" where the type is none of ACME's.
  std::string_view word() const;
  // For people: the detail, then the parts.
  std::string text() const;
};

enum class Status : std::uint8_t { kPending, kReady, kProcessing, kValid, kInvalid, kOther };

struct Order {
  Status status = Status::kOther;
  std::vector<std::string> authorizations;
  std::string finalize;
  std::string certificate;  // empty: not yet
  std::optional<Problem> problem;
};

struct Challenge {
  std::string type;  // "http-01"
  std::string url;
  std::string token;
  Status status = Status::kOther;
  std::optional<Problem> problem;
};

struct Authorization {
  Status status = Status::kOther;
  std::string name;  // without "*."
  bool is_wildcard = false;
  std::vector<Challenge> challenges;
  std::optional<std::chrono::seconds> retry_after;  // of the answer it came with
};

struct AccountState {
  std::string status;  // "valid"
  std::vector<std::string> contacts;
};

struct RenewalInfo {
  WallTime start;
  WallTime end;
  std::string explanation;  // a URL, or empty
};

// Errors of all: kBadResponse, saying what is missing.
Result<Directory> parse_directory(std::string_view json);
Result<Order> parse_order(std::string_view json);
Result<Authorization> parse_authorization(std::string_view json);
Result<Challenge> parse_challenge(std::string_view json);
Result<AccountState> parse_account(std::string_view json);
// RFC 9773 4.2.
Result<RenewalInfo> parse_renewal_info(std::string_view json);
// Of any text that came with an error, a page of HTML included.
Problem parse_problem(std::string_view json);

// Of a token (RFC 8555 8.1): Base64url, and not so long that it can't be a file's name.
bool is_token(std::string_view text);

}  // namespace rproxy::acme
