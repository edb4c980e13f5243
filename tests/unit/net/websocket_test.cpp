#include "net/websocket.h"

#include <gtest/gtest.h>

namespace rproxy::net {
namespace {

// RFC 6455 1.3.
TEST(Websocket, ProvesAKeyAsTheStandardSays) {
  Arena arena;
  EXPECT_EQ(websocket_accept("dGhlIHNhbXBsZSBub25jZQ==", arena), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

// RFC 6455 4.1: 16 bytes in base64, another for each connection.
TEST(Websocket, MakesAnotherKeyEachTime) {
  Arena arena;
  const auto one = make_websocket_key(arena);
  const auto other = make_websocket_key(arena);
  EXPECT_NE(one, other);
  EXPECT_EQ(one.size(), 24U);
  EXPECT_TRUE(one.ends_with("=="));
  EXPECT_EQ(one.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="), one.npos);
}

}  // namespace
}  // namespace rproxy::net
