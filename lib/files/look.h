// What there is by a name below a root.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "files/open_file.h"
#include "files/root.h"
#include "http/content_coding.h"

namespace rproxy::files {

struct Look {
  // Not an aggregate: GCC 12 destroys an aggregate's temporary twice within a co_await expression.
  Look() = default;

  enum class Kind : std::uint8_t {
    kFile,
    kDirectory,
    kMissing,    // or nothing that is served: a FIFO, a device
    kForbidden,  // by the system, or a link that is not followed
    kFailed,     // `error` says why
    kUnknown     // there is no telling without waiting for a disk
  };
  struct Coded {
    http::Coding coding;
    OpenFilePtr file;
  };
  Kind kind = Kind::kUnknown;
  int error = 0;
  OpenFilePtr file;          // kFile
  std::vector<Coded> coded;  // the same, compressed beforehand, of those asked for
};

// Any thread, if it may not wait; kUnknown is the answer then where it would have to.
Look look(const Root& root, const std::string& name, const std::vector<http::Coding>& codings, Root::Wait wait);

// ".gz"; empty: no file is compressed so.
std::string_view suffix_of(http::Coding coding);

}  // namespace rproxy::files
