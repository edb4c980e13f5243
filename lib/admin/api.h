// The admin endpoint as a handler of requests: finds what a request asks for, refuses what is malformed, and answers.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "admin/answer.h"
#include "admin/subject.h"
#include "exchange/exchange.h"

namespace rproxy::admin {

class Api final : public exchange::Handler {
 public:
  // A call's content; over: 413.
  static constexpr std::size_t kContentMax = 64 * 1024;

  // Outlived by it.
  explicit Api(Subject& subject) : subject_(subject) {}

  net::Task<Result<exchange::Response>> handle(exchange::Request& request) override;

 private:
  net::Task<Result<Answer>> answer(exchange::Request& request);
  net::Task<Answer> reload();

  Subject& subject_;
};

// One thing that can be asked for; the man page has them all.
struct OperationInfo {
  std::string_view method;
  std::string_view path;  // "/upstreams/{upstream}"
};
std::vector<OperationInfo> all_operations();

}  // namespace rproxy::admin
