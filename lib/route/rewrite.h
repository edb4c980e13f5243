// Rewriting the path of a request before it goes upstream.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/result.h"

namespace rproxy::route {

// Applied in this order; each is optional.
struct RewriteOptions {
  std::string strip_prefix;  // "/api": "/api/x" becomes "/x"; a path without it is left alone; matches whole segments
  std::string add_prefix;    // "/v2": "/x" becomes "/v2/x"
  std::string replace_path;  // whole path, query kept; may not be combined with the others
  std::string regex;         // RE2, replaces the first match in the path
  std::string replacement;   // with \1..\9
  bool operator==(const RewriteOptions&) const = default;
  bool empty() const { return strip_prefix.empty() && add_prefix.empty() && replace_path.empty() && regex.empty(); }
};

struct RewriteProblem {
  std::string_view key;  // "add_prefix"
  std::string detail;
};

class Rewrite {
 public:
  // Nothing, and what is wrong with each key, where the options make no path.
  static std::optional<Rewrite> compile(const RewriteOptions& options, std::vector<RewriteProblem>& problems);
  ~Rewrite();
  Rewrite(Rewrite&&) noexcept;
  Rewrite& operator=(Rewrite&&) noexcept;

  // The new path, always beginning with '/', in `arena` where it changed. A result that would not be a valid path (dot segments after
  // a regex, controls) is an error of Side::kLocal.
  Result<std::string_view> apply(std::string_view path, Arena& arena) const;

 private:
  struct Compiled;
  explicit Rewrite(std::unique_ptr<const Compiled> compiled);
  std::unique_ptr<const Compiled> compiled_;
};

}  // namespace rproxy::route
