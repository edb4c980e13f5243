// Which media type a file's name tells.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rproxy::files {

// By what stands behind the last dot, in any case; `own` goes first, with or without the dot. "application/octet-stream" where nothing is
// known. Text is told to be UTF-8.
std::string_view media_type_of(std::string_view name, const std::vector<std::pair<std::string, std::string>>& own);

}  // namespace rproxy::files
