// What gRPC clients are told of failures.
#include "exchange/grpc_answer.h"

#include <gtest/gtest.h>

#include "exchange/error_page.h"

namespace rproxy::exchange {
namespace {

using http::FieldId;

struct Fixture {
  explicit Fixture(std::string_view content_type) {
    request.arena = &arena;
    request.head.fields.add("Content-Type", content_type);
    request.head.fields.add("Accept", "text/html");
    request.trace.request_id = "0123";
  }
  Arena arena;
  Request request;
};

TEST(GrpcAnswer, IsAHeadWithAStatusInPlaceOfAPage) {
  Fixture f("application/grpc+proto");
  const Response response = error_response(f.request, 502);
  EXPECT_EQ(response.head.status, 200);
  EXPECT_EQ(response.body, nullptr);
  EXPECT_EQ(response.head.fields.get(FieldId::kContentType), "application/grpc");
  EXPECT_EQ(response.head.fields.get(FieldId::kGrpcStatus), "14");
  EXPECT_EQ(response.head.fields.get(FieldId::kGrpcMessage), "Bad Gateway, request 0123");
  EXPECT_EQ(f.request.trace.grpc_status, 14);
}

TEST(GrpcAnswer, HasTheTypeThatAWebClientAskedWith) {
  for (const char* type : {"application/grpc-web", "application/grpc-web+proto", "application/grpc-web-text+proto"}) {
    Fixture f(type);
    const Response response = error_response(f.request, 404);
    EXPECT_EQ(response.head.status, 200);
    EXPECT_EQ(response.head.fields.get(FieldId::kContentType), type);
    EXPECT_EQ(response.head.fields.get(FieldId::kGrpcStatus), "12");
  }
}

TEST(GrpcAnswer, HasAnEncodedMessage) {
  Fixture f("application/grpc");
  const Response response = grpc_answer(f.request, http::GrpcStatus::kInternal, "100% wrong\r\n");
  EXPECT_EQ(response.head.fields.get(FieldId::kGrpcMessage), "100%25 wrong%0D%0A");
}

TEST(GrpcAnswer, IsForNobodyElse) {
  Fixture f("application/json");
  const Response response = error_response(f.request, 502);
  EXPECT_EQ(response.head.status, 502);
  EXPECT_NE(response.body, nullptr);
  EXPECT_FALSE(response.head.fields.has(FieldId::kGrpcStatus));
  EXPECT_EQ(f.request.trace.grpc_status, -1);
}

}  // namespace
}  // namespace rproxy::exchange
