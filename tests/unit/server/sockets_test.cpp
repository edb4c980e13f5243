// Listening sockets of all workers, or why there are none.
#include "server/sockets.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <cstring>
#include <fstream>

#include "config/config.h"
#include "support/temporary_directory.h"

namespace rproxy::server {
namespace {

using testing::HasSubstr;

Result<std::vector<OpenSockets>> open_listeners(const config::Config& config, unsigned workers) {
  std::vector<OpenSockets> all;
  for (const auto& listener : config.listeners) {
    auto open = open_sockets(listener.listen, workers);
    if (!open) return fail(std::move(open.error()));
    all.push_back(std::move(*open));
  }
  return all;
}

config::Config listening(const std::vector<std::string>& addresses) {
  config::Config config;
  for (const auto& address : addresses) {
    config.listeners.emplace_back();
    config.listeners.back().listen.address = HostPort::parse(address).value();
  }
  return config;
}

int option(const Fd& socket, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  ::getsockopt(socket.get(), level, name, &value, &size);
  return value;
}

mode_t mode_of(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 ? status.st_mode : 0;
}

bool connects(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof address.sun_path - 1));
  const Fd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return ::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

TEST(Sockets, AreOneForEachWorkerOnOnePort) {
  const auto made = open_listeners(listening({"127.0.0.1:0", "127.0.0.1:0"}), 3);
  ASSERT_TRUE(made.has_value()) << describe(made.error());
  ASSERT_EQ(made->size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    const OpenSockets& open = (*made)[i];
    EXPECT_NE(open.bound.port, 0);
    ASSERT_EQ(open.sockets.size(), 3U);
    for (const Fd& socket : open.sockets) {
      sockaddr_in address{};
      socklen_t size = sizeof address;
      ASSERT_EQ(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
      EXPECT_EQ(ntohs(address.sin_port), open.bound.port);
      EXPECT_EQ(option(socket, SOL_SOCKET, SO_ACCEPTCONN), 1);
      EXPECT_EQ(::fcntl(socket.get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    }
  }
  EXPECT_NE((*made)[0].bound.port, (*made)[1].bound.port);
}

TEST(Sockets, FollowTheListenersOptions) {
  for (const bool on : {false, true}) {
    auto config = listening({"[::]:0"});
    config.listeners[0].listen.defer_accept = on;
    config.listeners[0].listen.v6_only = on;
    const auto made = open_listeners(config, 1);
    if (!made) GTEST_SKIP() << "no IPv6 here: " << describe(made.error());
    const Fd& socket = (*made)[0].sockets[0];
    EXPECT_EQ(option(socket, IPPROTO_TCP, TCP_DEFER_ACCEPT) > 0, on);
    EXPECT_EQ(option(socket, IPPROTO_IPV6, IPV6_V6ONLY), on ? 1 : 0);
    EXPECT_EQ(option(socket, IPPROTO_TCP, TCP_NODELAY), 1);
  }
}

TEST(Sockets, ShareOneUnixSocketWithItsPermissions) {
  const test::TemporaryDirectory files;
  for (const unsigned mode : {0660U, 0600U, 0666U}) {
    const auto path = files.path("s" + std::to_string(mode));
    auto config = listening({"unix:" + path});
    config.listeners[0].listen.unix_mode = mode;
    const auto made = open_listeners(config, 3);
    ASSERT_TRUE(made.has_value()) << describe(made.error());
    EXPECT_EQ((*made)[0].sockets.size(), 3U);
    EXPECT_EQ(mode_of(path) & 07777, mode);
    EXPECT_TRUE(connects(path));
  }
}

TEST(Sockets, TakeTheNameOfAUnixSocketWhoseOwnerIsGone) {
  const test::TemporaryDirectory files;
  const auto path = files.path("s");
  ASSERT_TRUE(open_listeners(listening({"unix:" + path}), 1).has_value());  // closed again, its file is left
  ASSERT_TRUE(S_ISSOCK(mode_of(path)));
  const auto again = open_listeners(listening({"unix:" + path}), 1);
  ASSERT_TRUE(again.has_value()) << describe(again.error());
  EXPECT_TRUE(connects(path));
}

TEST(Sockets, SayWhatCannotBeBound) {
  const test::TemporaryDirectory files;
  const auto taken = open_listeners(listening({"127.0.0.1:0", "unix:" + files.path("taken")}), 1);
  ASSERT_TRUE(taken.has_value());
  const std::string file = files.write("file", "precious");
  const std::string cases[] = {
      // Though SO_REUSEPORT would let us share it.
      "127.0.0.1:" + std::to_string((*taken)[0].bound.port),
      "unix:" + files.path("taken"),
      "unix:" + file,
      "unix:" + files.path("none/s"),
      "unix:" + files.path(std::string(120, 'x')),
      "192.0.2.1:0",
  };
  for (const std::string& address : cases) {
    const auto made = open_listeners(listening({"127.0.0.1:0", address}), 2);
    ASSERT_FALSE(made.has_value()) << address;
    EXPECT_EQ(made.error().code, ErrorCode::kCannotBind) << address;
    EXPECT_THAT(describe(made.error()), HasSubstr(address));
  }
  std::ifstream kept(file);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(kept), {}), "precious");
  EXPECT_TRUE(connects(files.path("taken")));
}

TEST(Descriptors, AreAsManyAsTheHardLimitAllows) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit low = before;
  low.rlim_cur = std::min<rlim_t>(before.rlim_max, 64);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  EXPECT_EQ(raise_descriptor_limit(), before.rlim_max);
  rlimit after{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &after), 0);
  EXPECT_EQ(after.rlim_cur, before.rlim_max);
  EXPECT_EQ(raise_descriptor_limit(), before.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &before);
}

}  // namespace
}  // namespace rproxy::server
