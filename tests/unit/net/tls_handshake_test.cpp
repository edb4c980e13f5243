#include <gtest/gtest.h>

#include "support/tls_fixture.h"

namespace rproxy::net {
namespace {

using test::TlsEnds;

TEST(TlsHandshake, AgreesOnModernDefaults) {
  TlsEnds ends;
  ends.serve({"DNS:shop.com"});
  ends.shake("shop.com");
  ASSERT_TRUE(ends.client_done.has_value()) << describe(ends.client_done.error());
  ASSERT_TRUE(ends.server_done.has_value()) << describe(ends.server_done.error());
  EXPECT_EQ(ends.server->version(), "TLSv1.3");
  EXPECT_EQ(ends.server->cipher(), "TLS_AES_128_GCM_SHA256");
  EXPECT_EQ(ends.server->server_name(), "shop.com");
  EXPECT_EQ(ends.server->alpn(), "http/1.1");
  EXPECT_EQ(ends.client->alpn(), "http/1.1");
  EXPECT_FALSE(ends.client->is_resumed());
}

}  // namespace
}  // namespace rproxy::net
