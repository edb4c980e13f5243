#include "cli/admin_client.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "base/fd.h"
#include "http/head_parser.h"

namespace rproxy::cli {
namespace {

constexpr timeval kPatience{5, 0};
constexpr std::size_t kAnswerMax = std::size_t{256} << 20;

tl::unexpected<Error> failed(const std::string& socket, std::string_view what) {
  return fail(ErrorCode::kFile, Side::kLocal, Retry::kNever, fmt::format("{}: {}", socket, what));
}

Result<Fd> connect_to(const std::string& socket) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket.size() >= sizeof(address.sun_path)) return failed(socket, "too long a path for a socket");
  socket.copy(address.sun_path, socket.size());
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof(kPatience));
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof(kPatience));
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return failed(socket, std::strerror(errno));
  }
  return fd;
}

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

// To the connection's end.
bool receive_all(int fd, std::string& out) {
  char buffer[65536];
  for (;;) {
    const auto got = ::recv(fd, buffer, sizeof(buffer), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return got == 0;
    if (out.size() + static_cast<std::size_t>(got) > kAnswerMax) return false;
    out.append(buffer, static_cast<std::size_t>(got));
  }
}

}  // namespace

Result<AdminAnswer> ask_admin(const std::string& socket, std::string_view method, std::string_view path,
                              std::string_view content) {
  auto fd = connect_to(socket);
  if (!fd) return fail(std::move(fd.error()));
  std::string request = fmt::format("{} {} HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n", method, path);
  if (!content.empty()) request += fmt::format("Content-Length: {}\r\n", content.size());
  request += fmt::format("\r\n{}", content);
  std::string text;
  if (!send_all(fd->get(), request) || !receive_all(fd->get(), text)) return failed(socket, "no whole answer came");
  http::ResponseHead head;
  const http::HeadLimits limits;
  http::ResponseHeadParser parser(head, limits, http::Method::kGet);
  const auto progress = parser.feed(text);
  const bool is_whole = progress && *progress == http::ParseProgress::kDone &&
                        head.body.kind == http::BodyLength::Kind::kFixed &&
                        text.size() - parser.consumed() == head.body.bytes;
  if (!is_whole) return failed(socket, "what answers is not the admin endpoint of a proxy");
  return AdminAnswer{head.status, text.substr(parser.consumed())};
}

}  // namespace rproxy::cli
