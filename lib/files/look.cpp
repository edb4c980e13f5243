#include "files/look.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

namespace rproxy::files {
namespace {

using Kind = Look::Kind;

Kind kind_of(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
    case EINVAL:
    case ENXIO:  // a socket, a device without a driver
    case ENODEV:
      return Kind::kMissing;
    case EACCES:
    case EPERM:
    case EXDEV:
    case ELOOP:
      return Kind::kForbidden;
    case EAGAIN:
      return Kind::kUnknown;
    default:
      return Kind::kFailed;
  }
}

Look look_at(const Root& root, const std::string& name, Root::Wait wait) {
  Look found;
  Fd opened(root.open_below(name, wait, O_RDONLY));
  if (!opened) {
    found.error = errno;
    found.kind = kind_of(found.error);
    // One may go through a directory without being let read it.
    if (found.error == EACCES && Fd(root.open_below(name, wait, O_PATH | O_DIRECTORY))) found.kind = Kind::kDirectory;
    if (found.error == EXDEV || found.error == ELOOP) root.tell_of_link(name);
    return found;
  }
  const auto inspected = inspect(opened.get(), wait == Root::Wait::kMay);
  if (S_ISREG(inspected.mode)) {
    found.kind = Kind::kFile;
    found.file = std::make_shared<const OpenFile>(std::move(opened), inspected.state);
  } else if (S_ISDIR(inspected.mode)) {
    found.kind = Kind::kDirectory;
  } else if (inspected.mode == 0) {
    found.kind = wait == Root::Wait::kMay ? Kind::kFailed : Kind::kUnknown;
  } else {
    found.kind = Kind::kMissing;
  }
  return found;
}

}  // namespace

std::string_view suffix_of(http::Coding coding) {
  switch (coding) {
    case http::Coding::kGzip:
      return ".gz";
    case http::Coding::kBrotli:
      return ".br";
    case http::Coding::kZstd:
      return ".zst";
    default:
      return {};
  }
}

Look look(const Root& root, const std::string& name, const std::vector<http::Coding>& codings, Root::Wait wait) {
  Look found = look_at(root, name, wait);
  if (found.kind != Kind::kFile) return found;
  for (const http::Coding coding : codings) {
    Look beside = look_at(root, name + std::string(suffix_of(coding)), wait);
    if (beside.kind == Kind::kUnknown && wait == Root::Wait::kNever) return {};
    if (beside.kind != Kind::kFile) continue;
    // What compresses files gives them the time of the original, some to the second.
    if (beside.file->state().modified() < found.file->state().modified()) continue;
    found.coded.push_back({coding, std::move(beside.file)});
  }
  return found;
}

}  // namespace rproxy::files
