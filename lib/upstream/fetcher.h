// Requests of the proxy's own to URLs, such as an ACME server's: names looked up, TLS verified, each answer whole and bounded.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "exchange/exchange.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "net/task.h"
#include "upstream/options.h"
#include "x509/trust_store.h"

namespace rproxy::upstream {

// "https://shop.com:8443/path?query", of which the fragment is nobody's business (RFC 9110 4.2).
struct Url {
  bool is_https = true;
  std::string host;       // without brackets
  std::string authority;  // as a Host field has it
  std::uint16_t port = 443;
  std::string path;  // "/" at least
  std::string query;
  bool has_query = false;

  // Nothing for what is no absolute URL of http or https, has user information, or a character that belongs into none.
  static std::optional<Url> parse(std::string_view text);
};

using FieldList = std::vector<std::pair<std::string, std::string>>;

struct FetchCall {
  // Not an aggregate: GCC 12 destroys an aggregate's temporary twice within a co_await expression.
  FetchCall(std::string how, std::string where) : method(std::move(how)), url(std::move(where)) {}

  std::string method;
  std::string url;
  FieldList fields;
  std::string content;  // empty: none
};

struct FetchedAnswer {
  FetchedAnswer() = default;

  std::uint16_t status = 0;
  FieldList fields;
  std::string content;

  // The first of that name, whatever its case; "" where there is none.
  std::string_view get(std::string_view name) const;
  // All of that name.
  std::vector<std::string_view> all(std::string_view name) const;
};

class Fetcher {
 public:
  struct Options {
    std::string ca_file;  // PEM; empty: the system's authorities
    std::string user_agent = "rproxy";
    Duration timeout{30'000};  // of one call, names and connecting included
    std::size_t content_max = std::size_t{1} << 20U;
  };

  // `loop` and `resolver` outlive it. Errors: kFile, kConfig (of ca_file).
  static Result<std::unique_ptr<Fetcher>> create(net::Loop& loop, net::Resolver& resolver, Options options);
  Fetcher(const Fetcher&) = delete;
  Fetcher& operator=(const Fetcher&) = delete;

  // One connection for each. Errors: kConfig (no URL), as of Resolver::resolve(), of connecting and of TLS, kRequestTimeout, kBadResponse where
  // the content is too long; the context names the URL's host.
  net::Task<Result<FetchedAnswer>> fetch(FetchCall call);

 private:
  struct Run;

  Fetcher(net::Loop& loop, net::Resolver& resolver, Options options, x509::TrustStore trusted);
  net::Task<Result<FetchedAnswer>> find_and_ask(const FetchCall& call, const Url& url);
  net::Task<Result<FetchedAnswer>> ask(const FetchCall& call, const Url& url, IpAddress address);
  net::Task<Result<FetchedAnswer>> take(Result<exchange::Response> response) const;
  upstream::Options options_for(const Url& url, const IpAddress& address) const;

  net::Loop& loop_;
  net::Resolver& resolver_;
  const Options options_;
  const x509::TrustStore trusted_;
};

}  // namespace rproxy::upstream
