// Routes that answer by themselves.
#include "proxy/fixed_answers.h"

#include <gtest/gtest.h>

#include "support/test_loop.h"

namespace rproxy::proxy {
namespace {

using http::FieldId;

struct Fixture {
  Fixture() {
    request.arena = &arena;
    request.head.scheme = "http";
    request.head.host = "shop.com";
    request.head.authority = request.client_authority = "shop.com:8080";
    request.head.path = request.client_path = "/a/b";
    request.head.query = "q=1";
    request.head.has_query = true;
    request.head.fields.add("Accept", "text/plain");
  }
  exchange::Response answer(exchange::Handler& handler) {
    exchange::Response response;
    loop.run(ask(handler, response));
    return response;
  }
  std::string content(exchange::Response& response) {
    std::string text;
    loop.run(read(*response.body, text));
    return text;
  }
  test::TestLoop loop;
  Arena arena;
  exchange::Request request;

 private:
  net::Task<void> ask(exchange::Handler& handler, exchange::Response& response) {
    response = std::move(co_await handler.handle(request)).value();
  }
  static net::Task<void> read(exchange::Body& body, std::string& text) {
    const auto slice = co_await body.read();
    text = slice->data;
  }
};

TEST(Redirect, LeadsWhereItsTemplateSays) {
  Fixture f;
  Redirect redirect(302, LocationTemplate::compile("https://{host}{uri}").value());
  const auto response = f.answer(redirect);
  EXPECT_EQ(response.head.status, 302);
  EXPECT_EQ(response.head.fields.get(FieldId::kLocation), "https://shop.com/a/b?q=1");
  EXPECT_FALSE(response.head.fields.has(FieldId::kCacheControl));
}

TEST(FixedAnswer, IsTheOperatorsWordToGrpcClientsToo) {
  Fixture f;
  f.request.head.fields.add("Content-Type", "application/grpc");
  Redirect redirect(302, LocationTemplate::compile("https://{host}{uri}").value());
  EXPECT_EQ(f.answer(redirect).head.status, 302);
  const RespondAction action{404, {}, {}};
  Respond respond(action);
  EXPECT_EQ(f.answer(respond).head.status, 404);
}

TEST(RedirectToHttps, KeepsHostAndUri) {
  struct Case {
    std::uint16_t port;
    const char* host;
    const char* path;
    const char* location;
  };
  const RespondAction nothing;
  Respond elsewhere(nothing);
  const Case cases[] = {
      {443, "shop.com", "/a/b", "https://shop.com/a/b?q=1"},
      {8443, "shop.com", "/a/b", "https://shop.com:8443/a/b?q=1"},
      {8443, "[::1]", "/a/b", "https://[::1]:8443/a/b?q=1"},
      {443, "shop.com", "*", "https://shop.com/"},
  };
  for (const Case& each : cases) {
    Fixture f;
    f.request.head.host = each.host;
    f.request.client_path = each.path;
    RedirectToHttps redirect(each.port, elsewhere);
    const auto response = f.answer(redirect);
    EXPECT_EQ(response.head.status, 308);
    EXPECT_EQ(response.head.fields.get(FieldId::kLocation), each.location);
  }
  Fixture f;
  f.request.head.host = "";
  RedirectToHttps redirect(443, elsewhere);
  EXPECT_EQ(f.answer(redirect).head.status, 400);
}

TEST(RedirectToHttps, PassesOnWhatCameOverTlsToAProxyInFront) {
  Fixture f;
  const RespondAction action{204, "", {}};
  Respond next(action);
  RedirectToHttps redirect(443, next);
  f.request.head.scheme = "http";
  EXPECT_EQ(f.answer(redirect).head.status, 308);
  f.request.head.scheme = "https";
  EXPECT_EQ(f.answer(redirect).head.status, 204);
}

TEST(Respond, SendsWhatItWasGiven) {
  Fixture f;
  const RespondAction action{200, "<p>", {{"Content-Type", "text/html"}, {"X-A", "1"}, {"x-a", "2"}}};
  Respond respond(action);
  auto response = f.answer(respond);
  EXPECT_EQ(response.head.status, 200);
  EXPECT_EQ(response.head.fields.get(FieldId::kContentType), "text/html");
  EXPECT_EQ(response.head.fields.find("X-A")->value, "2");
  EXPECT_EQ(f.content(response), "<p>");
}

TEST(Respond, ShowsAPageForAnErrorWithoutText) {
  const std::pair<RespondAction, const char*> cases[] = {{{403, "", {}}, "403 Forbidden\n"},
                                                         {{403, "no", {}}, "no"},
                                                         {{200, "", {}}, ""},
                                                         {{503, "", {}}, "503 Service Unavailable\n"}};
  for (const auto& [action, text] : cases) {
    Fixture f;
    Respond respond(action);
    auto response = f.answer(respond);
    EXPECT_EQ(response.head.status, action.status);
    EXPECT_EQ(f.content(response), text);
  }
}

}  // namespace
}  // namespace rproxy::proxy
