#include "server/socket_holder.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include "base/fd.h"
#include "base/units.h"
#include "net/socket_address.h"

namespace rproxy::server {
namespace {

// For each step: who does not answer in it is not draining as far as anybody can tell.
constexpr timeval kPatience{1, 0};
constexpr Duration kPatienceInAll{2'000};
// Of an answer that says it all in its first hundreds.
constexpr std::size_t kAnswerMax = 4096;

tl::unexpected<Error> refuse(const std::string& path, int os_error, std::string_view what) {
  return fail(
      Error(ErrorCode::kCannotBind, Side::kLocal, Retry::kNever, os_error, fmt::format("unix:{}{}", path, what)));
}

// What GET /readyz says (rproxy-admin(7)); nothing where nobody says it in time.
std::string ask_readiness(const Fd& socket) {
  constexpr std::string_view kQuestion = "GET /readyz HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n";
  if (::send(socket.get(), kQuestion.data(), kQuestion.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(kQuestion.size()))
    return {};
  const TimePoint end = Clock::now() + kPatienceInAll;
  std::string answer;
  std::array<char, 1024> part{};
  while (answer.size() < kAnswerMax && Clock::now() < end) {
    const ssize_t got = ::recv(socket.get(), part.data(), part.size(), 0);
    if (got <= 0) break;
    answer.append(part.data(), static_cast<std::size_t>(got));
  }
  return answer;
}

std::string process_of(const Fd& socket) {
  ucred who{};
  socklen_t size = sizeof who;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0 || who.pid <= 0) return "another process";
  return fmt::format("process {}", who.pid);
}

}  // namespace

Result<void> check_nobody_serves(const std::string& path) {
  const auto address = net::to_socket_address(HostPort{HostPort::Kind::kUnix, path, {}, 0});
  // Whoever wants to listen there finds out.
  if (!address) return {};
  const Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return refuse(path, errno, "");
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  if (::connect(socket.get(), address->data(), address->size) != 0) {
    // No file, or one that a process left when it died.
    if (errno == ENOENT || errno == ECONNREFUSED) return {};
    if (errno != EAGAIN) return refuse(path, errno, "");
  } else if (ask_readiness(socket).find("\"draining\"") != std::string::npos) {
    return {};
  }
  return refuse(path, 0,
                fmt::format(" is the admin socket of {}, which serves: stop that, or name another admin.socket",
                            process_of(socket)));
}

}  // namespace rproxy::server
