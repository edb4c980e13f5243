// What people write, as the request that serve would have before it.
#include "check/question.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.h"

namespace rproxy::check {
namespace {

using testing::HasSubstr;

const config::Config& shop() {
  static const auto loaded =
      config::load_text("shop.toml",
                        "[[listeners]]\naddress = \":8080\"\n[[listeners]]\naddress = \"127.0.0.1:9000\"\n"
                        "[[routes]]\nmatch = \"*\"\nrespond = 200\n",
                        [](std::string_view) { return std::nullopt; });
  return loaded.config;
}

TEST(Question, IsTakenAsItIsMeant) {
  struct Case {
    const char* asked;
    const char* method;
    const char* host;
    const char* path;
    const char* query;
    const char* url;
  };
  const Case cases[] = {
      {"GET http://shop.com/a?b", "GET", "shop.com", "/a", "b", "GET http://shop.com/a?b"},
      {"http://shop.com", "GET", "shop.com", "/", "", "GET http://shop.com/"},
      {"SHOP.com./x/../y", "GET", "shop.com", "/y", "", "GET http://SHOP.com./x/../y"},
      {"POST   shop.com?q", "POST", "shop.com", "/", "q", "POST http://shop.com/?q"},
      {"https://[::1]:8443/#top", "GET", "[::1]", "/", "", "GET https://[::1]:8443/"},
      {"OPTIONS http://shop.com/*", "OPTIONS", "shop.com", "*", "", "OPTIONS http://shop.com/*"},
      {"shop.com/http://x", "GET", "shop.com", "/http:/x", "", "GET http://shop.com/http://x"},
  };
  for (const Case& each : cases) {
    const auto asked = AskedRequest::make({each.asked, {}, {}}, shop());
    ASSERT_TRUE(asked) << each.asked;
    ASSERT_FALSE((*asked)->refusal()) << each.asked << (*asked)->refusal()->context;
    const auto& head = (*asked)->request().head;
    EXPECT_EQ(head.method, each.method) << each.asked;
    EXPECT_EQ(head.host, each.host) << each.asked;
    EXPECT_EQ(head.path, each.path) << each.asked;
    EXPECT_EQ(head.query, each.query) << each.asked;
    EXPECT_EQ((*asked)->url(), each.url);
    EXPECT_EQ((*asked)->request().client_ip.to_string(), kSomeClient);
  }
}

TEST(Question, ThatCanNotBePutIsRefusedWithWhatIsWrong) {
  struct Case {
    Question question;
    const char* why;
  };
  const Case cases[] = {
      {{"", {}, {}}, "names no host"},
      {{"GET /x", {}, {}}, "names no host"},
      {{"ftp://shop.com/", {}, {}}, "ftp is no scheme"},
      {{"GET http://shop.com/\r\nX: 1", {}, {}}, "one line"},
      {{"http://shop.com/", {"nothing"}, {}}, "is no header"},
      {{"http://shop.com/", {": x"}, {}}, "is no header"},
      {{"http://shop.com/", {"X: 1\nY: 2"}, {}}, "one line"},
      {{"http://shop.com/", {}, "shop.com"}, "is no IP address"},
  };
  for (const Case& each : cases) {
    const auto asked = AskedRequest::make(each.question, shop());
    ASSERT_FALSE(asked) << each.question.request;
    EXPECT_THAT(asked.error().context, HasSubstr(each.why));
  }
}

TEST(Question, IsRefusedAsServeRefusesIt) {
  for (const Question& question : std::vector<Question>{{"GET http://shop.com/%00", {}, {}},
                                                        {"GET http://sh op.com/", {}, {}},
                                                        {"GET http://shop.com/a b", {}, {}},
                                                        {"GET http://shop.com/", {"Host: a.com", "Host: b.com"}, {}},
                                                        {"GET http://shop.com/", {"X Y: 1"}, {}},
                                                        {"GET http://shop.com/" + std::string(9000, 'x'), {}, {}}}) {
    const auto asked = AskedRequest::make(question, shop());
    ASSERT_TRUE(asked) << question.request;
    EXPECT_TRUE((*asked)->refusal()) << question.request;
  }
}

TEST(Question, FindsTheListenerByItsPort) {
  struct Case {
    const char* asked;
    const char* listener;
  };
  for (const Case& each : {Case{"http://shop.com:9000/", "127.0.0.1:9000"}, Case{"http://shop.com/", ":8080"},
                           Case{"http://shop.com:80/", ""}, Case{"https://shop.com:8080/", ""}}) {
    const auto asked = AskedRequest::make({each.asked, {}, {}}, shop());
    ASSERT_TRUE(asked);
    const auto* listener = (*asked)->listener();
    EXPECT_EQ(listener != nullptr ? listener->listen.address.to_string() : "", each.listener) << each.asked;
  }
}

TEST(Question, AHostOfItsOwnGoesBeforeTheUrls) {
  const auto asked = AskedRequest::make({"http://10.0.0.1/", {"host: shop.com"}, "10.0.0.9"}, shop());
  ASSERT_TRUE(asked);
  EXPECT_EQ((*asked)->request().head.host, "shop.com");
  EXPECT_EQ((*asked)->request().client->peer.ip.to_string(), "10.0.0.9");
}

}  // namespace
}  // namespace rproxy::check
