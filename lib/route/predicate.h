// What a rule asks beyond host and path, compiled.
#pragma once

#include <re2/re2.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "http/message.h"
#include "route/rule.h"

namespace rproxy::route {

// RE2 bounded in memory and silent; null with `error` set when the pattern is wrong.
std::unique_ptr<const re2::RE2> compile_regex(const std::string& pattern, std::string& error);

class Predicates {
 public:
  // `error` says what is wrong with a pattern.
  Predicates(const Match& match, std::string& error);

  bool hold(const http::RequestHead& head, const IpAddress& client) const { return !first_failing(head, client); }
  enum class Kind : std::uint8_t { kMethod, kHeader, kQuery, kCookie, kClientIp };
  struct Failing {
    Kind kind;
    std::size_t index;  // of the header, query parameter or cookie, among those asked
  };
  // In the order above; nothing: all hold.
  std::optional<Failing> first_failing(const http::RequestHead& head, const IpAddress& client) const;
  // How many kinds of thing are asked; more wins over fewer.
  std::size_t count() const { return count_; }

 private:
  struct Value {
    ValueMatch asked;
    http::FieldId field = http::FieldId::kOther;
    std::unique_ptr<const re2::RE2> regex;
  };
  static std::vector<Value> compile(const std::vector<ValueMatch>& asked, std::string& error);
  static bool holds(const Value& value, const std::string_view* found);
  static bool holds_in_query(const Value& value, std::string_view query);
  bool method_holds(const http::RequestHead& head) const;

  std::vector<std::string> methods_;
  std::vector<Value> headers_;
  std::vector<Value> query_;
  std::vector<Value> cookies_;
  std::vector<IpNetwork> client_ips_;
  std::size_t count_ = 0;
};

}  // namespace rproxy::route
