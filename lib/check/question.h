// A request as somebody writes it down, made into the one that serve would have before it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/arena.h"
#include "base/result.h"
#include "config/config.h"
#include "exchange/exchange.h"

namespace rproxy::check {

struct Question {
  std::string request;               // "GET https://shop.com/images/a.png"; the method may be left out, and the scheme
  std::vector<std::string> headers;  // "Accept: image/png"
  std::string from;                  // the peer's address; empty: kSomeClient
};

// Of the networks that are for documentation (RFC 5737): a client that nobody has a rule for.
constexpr std::string_view kSomeClient = "192.0.2.1";

class AskedRequest {
 public:
  // kConfig: the question can't be put like that, whatever the configuration; context says why. `config` outlives it.
  static Result<std::unique_ptr<AskedRequest>> make(const Question& question, const config::Config& config);
  AskedRequest(const AskedRequest&) = delete;
  AskedRequest& operator=(const AskedRequest&) = delete;

  exchange::Request& request() { return request_; }
  const std::string& url() const { return url_; }
  // What serve refuses the request for before it looks for a route.
  const std::optional<Error>& refusal() const { return refusal_; }
  // The one that the URL's port leads to; null: there is none.
  const config::Listener* listener() const { return listener_; }

 private:
  AskedRequest() = default;
  Result<void> read_url(std::string text, const config::Config& config);
  Result<void> add_headers(const std::vector<std::string>& headers);
  Result<void> set_peer(const std::string& from);
  void parse(const config::Config& config);

  std::string method_ = "GET";
  std::string url_;
  std::string scheme_;
  std::string authority_;
  std::string target_;
  std::string header_lines_;
  bool has_host_ = false;
  std::string text_;  // as it would come on a connection
  Arena arena_;
  exchange::Client client_;
  exchange::Request request_;
  std::optional<Error> refusal_;
  const config::Listener* listener_ = nullptr;
};

}  // namespace rproxy::check
