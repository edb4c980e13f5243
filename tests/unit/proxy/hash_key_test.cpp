#include "proxy/hash_key.h"

#include <gtest/gtest.h>

#include <set>

namespace rproxy::proxy {
namespace {

using Source = balance::HashKey::Source;

exchange::Request asking(const std::string& client = "192.0.2.1") {
  exchange::Request request;
  request.client_ip = *IpAddress::parse(client);
  request.client_path = "/a";
  request.head.query = "id=7&x=1";
  request.head.fields.add("X-User", "ann");
  request.head.fields.add(http::FieldId::kCookie, "a=b; sid=42");
  return request;
}

// What a ring of another process has been built with.
TEST(HashKey, IsTheSameInEachProcess) {
  EXPECT_EQ(hash_of({Source::kHeader, "x-user"}, asking()), balance::hash_of("ann"));
  EXPECT_EQ(hash_of({Source::kCookie, "sid"}, asking()), balance::hash_of("42"));
  EXPECT_EQ(hash_of({Source::kQuery, "id"}, asking()), balance::hash_of("7"));
}

TEST(HashKey, LooksAtNothingElse) {
  for (const balance::HashKey& key : {balance::HashKey{Source::kHeader, "X-User"},
                                      {Source::kCookie, "sid"},
                                      {Source::kQuery, "id"},
                                      {Source::kUri, ""}}) {
    EXPECT_EQ(hash_of(key, asking("192.0.2.1")), hash_of(key, asking("192.0.2.2"))) << to_string(key);
  }
  auto other = asking();
  other.client_path = "/b";
  other.head.query = "id=8";
  EXPECT_EQ(hash_of({Source::kClientIp, ""}, asking()), hash_of({Source::kClientIp, ""}, other));
  EXPECT_NE(hash_of({Source::kUri, ""}, asking()), hash_of({Source::kUri, ""}, other));
}

TEST(HashKey, OfTheUriIsOfItsPathAndQuery) {
  std::set<std::uint64_t> seen;
  for (const auto& [path, query] : {std::pair{"/a", ""}, {"/a", "b"}, {"/ab", ""}, {"/b", "a"}, {"/", "ab"}}) {
    auto request = asking();
    request.client_path = path;
    request.head.query = query;
    seen.insert(hash_of({Source::kUri, ""}, request));
  }
  EXPECT_EQ(seen.size(), 5U);
}

TEST(HashKey, WithoutAKeyClientsStaySpread) {
  for (const balance::HashKey& key :
       {balance::HashKey{Source::kHeader, "X-Other"}, {Source::kCookie, "other"}, {Source::kQuery, "other"}}) {
    EXPECT_EQ(hash_of(key, asking("192.0.2.1")), hash_of({Source::kClientIp, ""}, asking("192.0.2.1")));
    EXPECT_NE(hash_of(key, asking("192.0.2.1")), hash_of(key, asking("192.0.2.2"))) << to_string(key);
  }
}

}  // namespace
}  // namespace rproxy::proxy
