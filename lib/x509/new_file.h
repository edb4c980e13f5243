// Files that are there whole or not at all, and private ones readable by their owner alone from the first byte on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace rproxy::x509 {

enum class Access : std::uint8_t { kPrivate, kPublic };  // 0600, or 0644 less the umask
enum class IfThere : std::uint8_t { kRefuse, kReplace };

// Written beside it, made durable, and put in its place at once: a reader has the old one or the new one. A link there is replaced,
// not followed. Errors: kFile, naming it; EEXIST where it is there and must not be replaced.
Result<void> write_new_file(const std::string& path, std::string_view content, Access access, IfThere if_there);

}  // namespace rproxy::x509
