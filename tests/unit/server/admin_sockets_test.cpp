// The path of the admin socket: whose it is, and when.
#include "server/admin_sockets.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "support/temporary_directory.h"

namespace rproxy::server {
namespace {

config::Admin at(const std::string& path) {
  config::Admin admin;
  admin.socket = path;
  return admin;
}

bool can_connect(const std::string& path) {
  const Fd socket(::socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

TEST(AdminSockets, ArePublishedForTheirOwnerAloneAndGoWithTheirProcess) {
  const test::TemporaryDirectory files;
  const std::string path = files.path("admin.sock");
  {
    const auto sockets = AdminSockets::open(at(path)).value();
    EXPECT_FALSE(std::filesystem::exists(path)) << "who is not sure to serve takes nothing";
    sockets.path->publish();
    EXPECT_TRUE(can_connect(path));
    struct stat there {};
    ASSERT_EQ(::stat(path.c_str(), &there), 0);
    EXPECT_EQ(there.st_mode & 0777U, 0600U);
  }
  EXPECT_TRUE(std::filesystem::is_empty(std::filesystem::path(path).parent_path()));
}

// A process that answers once, as one that drains or serves does.
class Answering {
 public:
  Answering(AdminSockets& sockets, std::string detail)
      : thread_([socket = sockets.unix_socket.get(), detail = std::move(detail)] {
          pollfd waiting{socket, POLLIN, 0};
          ASSERT_EQ(::poll(&waiting, 1, 10'000), 1);
          const Fd peer(::accept(socket, nullptr, nullptr));
          char asked[512];
          ASSERT_GT(::recv(peer.get(), asked, sizeof asked, 0), 0);
          const std::string answer = "HTTP/1.1 503 x\r\nConnection: close\r\n\r\n{\"detail\": \"" + detail + "\"}\n";
          ::send(peer.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
        }) {}
  ~Answering() { thread_.join(); }

 private:
  std::thread thread_;
};

TEST(AdminSockets, AreTakenOverFromOneThatDrainsAndNotTakenAwayByIt) {
  const test::TemporaryDirectory files;
  const std::string path = files.path("admin.sock");
  auto before = std::make_optional(AdminSockets::open(at(path)).value());
  before->path->publish();
  {
    const Answering draining(*before, "draining");
    (void)AdminSockets::open(at(path)).value();
  }
  EXPECT_TRUE(can_connect(path)) << "who fails to start leaves it alone";
  // Of can_connect(), out of the next one's way.
  const Fd looking(::accept(before->unix_socket.get(), nullptr, nullptr));
  auto after = std::make_optional<AdminSockets>();
  {
    const Answering draining(*before, "draining");
    after = AdminSockets::open(at(path)).value();
  }
  after->path->publish();
  before.reset();
  EXPECT_TRUE(can_connect(path));
}

TEST(AdminSockets, AreNotTakenFromOneThatServes) {
  const test::TemporaryDirectory files;
  const std::string path = files.path("admin.sock");
  auto serving = AdminSockets::open(at(path)).value();
  serving.path->publish();
  const auto refused = [&] {
    const Answering ready(serving, "no upstream has an endpoint that takes requests");
    return AdminSockets::open(at(path));
  }();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kCannotBind);
  EXPECT_NE(refused.error().context.find("process " + std::to_string(::getpid())), std::string::npos)
      << refused.error().context;
  // One that says nothing may serve nevertheless.
  EXPECT_FALSE(AdminSockets::open(at(path)).has_value());
  EXPECT_TRUE(can_connect(path));
}

TEST(AdminSockets, ReplaceASocketThatNobodyListensAtAndNothingElse) {
  const test::TemporaryDirectory files;
  const std::string path = files.path("admin.sock");
  const std::string text = files.write("text", "precious");
  const auto refused = AdminSockets::open(at(text));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kCannotBind);
  EXPECT_NE(refused.error().context.find(text + " is there, and is no socket"), std::string::npos);
  EXPECT_EQ(std::filesystem::file_size(text), 8U);
  const auto nowhere = AdminSockets::open(at("/no/such/directory/admin.sock"));
  ASSERT_FALSE(nowhere.has_value());
  EXPECT_EQ(describe(nowhere.error()), "cannot_bind: unix:/no/such/directory/admin.sock: No such file or directory");
  {
    const Fd stale(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(stale.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  const auto sockets = AdminSockets::open(at(path)).value();
  sockets.path->publish();
  EXPECT_TRUE(can_connect(path));
}

TEST(AdminSockets, TakeAFreePortWhereNoneIsNamed) {
  config::Admin admin;
  admin.listen = HostPort::parse("127.0.0.1:0");
  const auto sockets = AdminSockets::open(admin).value();
  EXPECT_NE(sockets.bound->port, 0);
  admin.listen = sockets.bound;
  EXPECT_FALSE(AdminSockets::open(admin).has_value());
}

}  // namespace
}  // namespace rproxy::server
