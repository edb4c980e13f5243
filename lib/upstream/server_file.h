// A file that lists servers, as it lies on the disk.
#pragma once

#include <string>

#include "base/result.h"

namespace rproxy::upstream {

// Another one after every change, whether the file was written or another one took its place.
std::string server_file_version(const std::string& path);

// The whole file, of at most 1 MiB. Errors: kFile, with its path and the reason.
Result<std::string> read_server_file(const std::string& path);

}  // namespace rproxy::upstream
