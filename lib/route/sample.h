// A request made up to show what a rule matches.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/address.h"
#include "http/message.h"

namespace rproxy::route {

struct Sample {
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  std::string method = "GET";
  std::string host;
  std::string path = "/";
  Pairs query;    // names and values as they mean, not as they are written
  Pairs headers;  // but for Cookie
  Pairs cookies;
  IpAddress client;
  bool has_secret = false;  // a value is one that is not to be shown

  std::string encoded_query() const;
  std::string cookie_header() const;
  // "GET https://shop.com/images/a.png?x=1"
  std::string url(std::string_view scheme) const;
  // The same for people: without a query where something is secret.
  std::string label(std::string_view scheme) const;
};

// Of a Sample, which outlives it.
class SampleHead {
 public:
  explicit SampleHead(const Sample& sample);
  const http::RequestHead& head() const { return head_; }

 private:
  std::string query_;
  std::string cookies_;
  http::RequestHead head_;
};

}  // namespace rproxy::route
