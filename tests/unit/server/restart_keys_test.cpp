// What a reload leaves as it is, and says so.
#include "server/restart_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/buffer_size.h"

namespace rproxy::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(KeepUntilRestart, LeavesAloneWhatMayChange) {
  config::Config running;
  running.client.head.head = 32_KiB;
  config::Config next = running;
  next.server.max_connections = 7;
  next.client.head.head = 16_KiB;
  EXPECT_THAT(keep_until_restart(next, running, buffer_size(running)), IsEmpty());
  EXPECT_EQ(next.server.max_connections, 7U);
  EXPECT_EQ(next.client.head.head.bytes, (16_KiB).bytes);
}

TEST(KeepUntilRestart, KeepsTheNumberOfWorkers) {
  config::Config running;
  running.server.workers = 2;
  config::Config next = running;
  next.server.workers = 4;
  EXPECT_THAT(keep_until_restart(next, running, buffer_size(running)), ElementsAre(HasSubstr("server.workers = 4 ")));
  EXPECT_EQ(next.server.workers, 2U);
}

TEST(KeepUntilRestart, KeepsHeadsWithinTheBuffersThatThereAre) {
  config::Config running;
  running.client.head.head = 64_KiB;
  const std::size_t buffer = buffer_size(running);
  config::Config next = running;
  next.client.head.head = 65_KiB;
  next.client.max_proxy_header = 65_KiB;
  next.upstreams.emplace_back().name = "app";
  next.upstreams.back().head.head = 65_KiB;
  EXPECT_THAT(keep_until_restart(next, running, buffer),
              ElementsAre(HasSubstr("client.max_head = 65KiB "), HasSubstr("client.max_proxy_header = 65KiB "),
                          HasSubstr("upstreams.app.max_head = 65KiB ")));
  EXPECT_EQ(buffer_size(next), buffer);
}

}  // namespace
}  // namespace rproxy::server
