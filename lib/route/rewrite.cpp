#include "route/rewrite.h"

#include <re2/re2.h>

#include "http/path.h"
#include "route/predicate.h"

namespace rproxy::route {

struct Rewrite::Compiled {
  RewriteOptions options;
  std::unique_ptr<const re2::RE2> regex;
};

namespace {

tl::unexpected<Error> bad_config(std::string context) {
  return fail(ErrorCode::kConfig, Side::kLocal, Retry::kNever, std::move(context));
}

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

}  // namespace

Rewrite::Rewrite(std::unique_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
Rewrite::~Rewrite() = default;
Rewrite::Rewrite(Rewrite&&) noexcept = default;
Rewrite& Rewrite::operator=(Rewrite&&) noexcept = default;

Result<Rewrite> Rewrite::compile(const RewriteOptions& options) {
  auto compiled = std::make_unique<Compiled>();
  compiled->options = options;
  const auto begins_with_slash = [](const std::string& text) { return text.empty() || text.front() == '/'; };
  if (!begins_with_slash(options.strip_prefix)) return bad_config("strip_prefix begins with /");
  if (!begins_with_slash(options.add_prefix)) return bad_config("add_prefix begins with /");
  if (!begins_with_slash(options.replace_path)) return bad_config("replace_path begins with /");
  const bool has_others = !options.strip_prefix.empty() || !options.add_prefix.empty() || !options.regex.empty();
  if (!options.replace_path.empty() && has_others)
    return bad_config("replace_path can't be combined with other rewrites");
  if (options.regex.empty() && !options.replacement.empty()) return bad_config("replacement needs regex");
  if (!options.regex.empty()) {
    std::string error;
    compiled->regex = compile_regex(options.regex, error);
    if (!compiled->regex) return bad_config("regex: " + error);
    if (!compiled->regex->CheckRewriteString(options.replacement, &error)) return bad_config("replacement: " + error);
  }
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
  http::PathPolicy keep;
  keep.duplicate_slashes = http::PathPolicy::Slashes::kKeep;
  if (!path.starts_with('/'))
    return fail(ErrorCode::kInternal, Side::kLocal, Retry::kNever, "rewritten path does not begin with /");
  const auto normal = http::normalize_path(path, keep, arena);
  if (!normal || *normal != path)
    return fail(ErrorCode::kInternal, Side::kLocal, Retry::kNever, "rewritten path is not a valid path");
  return path;
}

}  // namespace rproxy::route
