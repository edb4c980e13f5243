// The members of a call's content, each of a type: the first that is wrong, or not asked for, is complained of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "admin/answer.h"

namespace rproxy::admin {

class Members {
 public:
  // An object, which outlives this.
  explicit Members(const Json& content) : content_(content) {}

  // `out` stays as it is where the member is left out.
  void text(std::string_view name, std::string& out);
  void texts(std::string_view name, std::vector<std::string>& out);
  void flag(std::string_view name, std::optional<bool>& out);
  void number(std::string_view name, std::uint64_t most, std::optional<std::uint64_t>& out);

  // Of those that were asked for.
  const std::optional<Answer>& wrong() const { return wrong_; }
  // That, or that there is one nobody asked for.
  std::optional<Answer> complaint() const;

 private:
  const Json* find(std::string_view name);

  const Json& content_;
  std::vector<std::string_view> known_;
  std::optional<Answer> wrong_;
};

}  // namespace rproxy::admin
