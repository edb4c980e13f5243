#include "route/rewrite.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <utility>

#include "http/characters.h"
#include "http/path.h"
#include "route/predicate.h"

namespace rproxy::route {

struct Rewrite::Compiled {
  RewriteOptions options;
  std::unique_ptr<const re2::RE2> regex;
};

namespace {

std::string_view strip(std::string_view path, std::string_view prefix) {
  // "/api" and "/api/" both mean the segment.
  if (prefix.ends_with('/')) prefix.remove_suffix(1);
  if (!path.starts_with(prefix)) return path;
  const auto rest = path.substr(prefix.size());
  if (rest.empty()) return "/";
  if (rest.front() != '/') return path;
  // "/api//x" must not become "//x", which a backend could take for a host.
  std::size_t slashes = 0;
  while (slashes < rest.size() && rest[slashes] == '/') ++slashes;
  return rest.substr(slashes - 1);
}

constexpr http::PathPolicy kKeepSlashes{http::PathPolicy::Slashes::kKeep, http::PathPolicy::EncodedSlash::kKeep};

// What is wrong with a path that goes out as it is written: in its one spelling, without a query. Empty: nothing.
std::string fault_of_path(std::string_view path) {
  if (path.empty()) return {};
  if (path.front() != '/') return "a path begins with /";
  if (path.find_first_of("?#") != std::string_view::npos) return "a path has no ? and no #; the query stays as it is";
  Arena arena;
  const auto normal = http::normalize_path(path, kKeepSlashes, arena);
  if (!normal) return "not a path: escape what a URL can't hold, such as a space by %20";
  if (*normal != path) return fmt::format("the same path is matched as \"{}\": write it so", *normal);
  return {};
}

std::string fault_of_replacement(std::string_view text) {
  if (text.find_first_of("?#") != std::string_view::npos) return "a path has no ? and no #; the query stays as it is";
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;  // RE2 says what may follow
    } else if (!http::is(text[i], http::kPathChar) && text[i] != '%') {
      return "not a path: escape what a URL can't hold, such as a space by %20";
    }
  }
  return {};
}

}  // namespace

Rewrite::Rewrite(std::unique_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
Rewrite::~Rewrite() = default;
Rewrite::Rewrite(Rewrite&&) noexcept = default;
Rewrite& Rewrite::operator=(Rewrite&&) noexcept = default;

std::optional<Rewrite> Rewrite::compile(const RewriteOptions& options, std::vector<RewriteProblem>& problems) {
  const std::size_t known = problems.size();
  const auto report = [&](std::string_view key, std::string detail) {
    if (!detail.empty()) problems.push_back({key, std::move(detail)});
  };
  report("strip_prefix", fault_of_path(options.strip_prefix));
  report("add_prefix", fault_of_path(options.add_prefix));
  report("replace_path", fault_of_path(options.replace_path));
  const bool has_others = !options.strip_prefix.empty() || !options.add_prefix.empty() || !options.regex.empty();
  if (!options.replace_path.empty() && has_others) report("replace_path", "can't be combined with other rewrites");
  if (options.regex.empty() && !options.replacement.empty()) report("replacement", "needs regex");
  auto compiled = std::make_unique<Compiled>();
  compiled->options = options;
  if (!options.regex.empty()) {
    std::string error;
    compiled->regex = compile_regex(options.regex, error);
    if (!compiled->regex) {
      report("regex", std::move(error));
    } else if (!compiled->regex->CheckRewriteString(options.replacement, &error)) {
      report("replacement", std::move(error));
    } else {
      report("replacement", fault_of_replacement(options.replacement));
    }
  }
  if (problems.size() > known) return std::nullopt;
  return Rewrite(std::move(compiled));
}

Result<std::string_view> Rewrite::apply(std::string_view path, Arena& arena) const {
  const RewriteOptions& options = compiled_->options;
  if (path == "*") return path;  // OPTIONS * has no path to rewrite
  if (!options.replace_path.empty()) return std::string_view(options.replace_path);
  if (!options.strip_prefix.empty()) path = strip(path, options.strip_prefix);
  if (!options.add_prefix.empty()) {
    std::string_view prefix = options.add_prefix;
    if (prefix.ends_with('/')) prefix.remove_suffix(1);
    path = arena.concat({prefix, path});
  }
  if (compiled_->regex) {
    std::string text(path);
    if (re2::RE2::Replace(&text, *compiled_->regex, options.replacement)) path = arena.copy(text);
  }
  const auto normal = path.starts_with('/') ? http::normalize_path(path, kKeepSlashes, arena) : path.substr(0, 0);
  if (!normal || *normal != path)
    return fail(ErrorCode::kInternal, Side::kLocal, Retry::kNever,
                fmt::format("rewritten to {}, which is no path", path));
  return path;
}

}  // namespace rproxy::route
