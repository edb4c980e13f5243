#include "net/tls_key_log.h"

#include <fcntl.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstring>

#include "base/fd.h"

namespace rproxy::net {
namespace {

// Written once, before there are threads.
Fd& key_log() {
  static Fd file;
  return file;
}

// One write for a line: several threads add to it.
void write_line(const SSL*, const char* line) {
  char end = '\n';
  const iovec pieces[] = {{const_cast<char*>(line), std::strlen(line)}, {&end, 1}};
  (void)!::writev(key_log().get(), pieces, 2);
}

}  // namespace

Result<void> log_tls_keys_to(const std::string& file) {
  Fd opened(::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!opened) {
    return fail(Error{ErrorCode::kFile, Side::kLocal, Retry::kNever, errno, file});
  }
  key_log() = std::move(opened);
  return {};
}

void log_tls_keys_of(SSL_CTX* context) {
  if (key_log()) SSL_CTX_set_keylog_callback(context, &write_line);
}

}  // namespace rproxy::net
