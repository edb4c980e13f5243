// Where the status of an upstream's gRPC answer is found.
#include "proxy/grpc_status.h"

#include <gtest/gtest.h>

#include "exchange/string_body.h"

namespace rproxy::proxy {
namespace {

class BodyWithTrailers final : public exchange::Body {
 public:
  explicit BodyWithTrailers(std::string_view status) { trailers_.add("grpc-status", status); }
  net::ValueTask<Result<exchange::Slice>> read() override { return Result<exchange::Slice>(exchange::Slice{{}, true}); }
  http::BodyLength length() const override { return {http::BodyLength::Kind::kChunked, 0}; }
  const http::Fields* trailers() const override { return &trailers_; }

 private:
  http::Fields trailers_;
};

TEST(GrpcStatusNote, IsOfTheHeadOrOfTheTrailersAsTheyPass) {
  struct Case {
    const char* type;
    const char* head;  // "": not there
    const char* trailer;
    int before;
    int after;
  };
  const Case cases[] = {
      {"application/grpc", "5", "7", 5, 5},     {"application/grpc+proto", "", "7", -1, 7},
      {"application/grpc-web", "5", "7", 5, 5}, {"application/grpc", "", "no", -1, -1},
      {"application/grpc", "no", "7", -1, -1},  {"application/json", "5", "7", -1, -1},
  };
  for (const Case& each : cases) {
    exchange::Trace trace;
    exchange::Response response;
    response.head.fields.add("Content-Type", each.type);
    if (*each.head != '\0') response.head.fields.add("grpc-status", each.head);
    response.body = std::make_unique<BodyWithTrailers>(each.trailer);
    note_grpc_status(trace, response, {});
    EXPECT_EQ(trace.grpc_status, each.before) << each.type;
    ASSERT_NE(response.body->trailers(), nullptr);
    EXPECT_EQ(trace.grpc_status, each.after) << each.type;
  }
}

}  // namespace
}  // namespace rproxy::proxy
