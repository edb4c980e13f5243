// Why a request goes to one rule and not to another: the Router's decision, taken slowly and told in full.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/address.h"
#include "http/message.h"
#include "route/predicate.h"
#include "route/rule.h"

namespace rproxy::route {

// What a rule may lose by. kPrecedence: all it asks holds, but a rule that does is tried before it.
enum class Aspect : std::uint8_t { kHost, kPath, kMethod, kHeader, kQuery, kCookie, kClientIp, kPrecedence };

struct Loss {
  std::size_t rule = 0;
  Aspect aspect = Aspect::kHost;
  const ValueMatch* asked = nullptr;  // kHeader, kQuery, kCookie: which; views the explainer's rules
  std::string_view
      precedence;  // kPrecedence: by what it stands behind: "priority", "host", "path", "conditions", "file order"
};

// The rules in the order in which the Router tries them: the first whose conditions hold is what match() finds, of any request.
std::vector<std::size_t> by_precedence(std::span<const Rule> rules);

class Explainer {
 public:
  // Copies the rules, which are such as a Router can be made of.
  explicit Explainer(std::span<const Rule> rules);

  struct Explanation {
    std::optional<std::size_t> winner;
    std::vector<Loss> runners_up;  // those nearest to winning first: the later they fail, the nearer
  };
  // Reads all rules: for people, not for each request.
  Explanation explain(const http::RequestHead& head, const IpAddress& client, std::size_t runners_up_max) const;

  const std::vector<Rule>& rules() const { return rules_; }

 private:
  std::optional<Loss> loss_of(std::size_t rule, const http::RequestHead& head, const IpAddress& client) const;

  std::vector<Rule> rules_;
  std::vector<std::size_t> order_;
  std::vector<Predicates> predicates_;                         // as the rules
  std::vector<std::unique_ptr<const re2::RE2>> path_regexes_;  // as the rules; null where the path is none
};

}  // namespace rproxy::route
