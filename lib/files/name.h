// Which file below a root a request's path is the name of.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rproxy::files {

// "/a%20b/c" as "a b/c", "/" as "", with the slash at the end where the path has one. `path` begins with '/' and is normalised, but for
// slashes. Nothing where no file may be served by that name: a segment that is empty, a dot or two of them, has a slash, a backslash or a
// control in it, is longer than a name can be, or, unless `hidden`, begins with a dot (".well-known" excepted, RFC 8615).
std::optional<std::string> name_of(std::string_view path, bool hidden);

// Whether it is one of those that are not shown.
bool is_hidden(std::string_view segment);

// A name as a segment of a relative reference (RFC 3986 4.2): "a%20b".
std::string escaped(std::string_view name);

}  // namespace rproxy::files
