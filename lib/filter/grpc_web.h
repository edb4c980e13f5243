// Lets gRPC-Web clients, which are browsers, talk to gRPC upstreams (grpc/doc PROTOCOL-WEB.md): the request loses its Base64, if it is
// of the text form, and the answer's trailers become the last frame of its content, which a page's script can read.
#pragma once

#include <memory>
#include <utility>

#include "exchange/exchange.h"
#include "http/grpc.h"

namespace rproxy::filter {

class GrpcWeb final : public exchange::Handler {
 public:
  explicit GrpcWeb(std::unique_ptr<exchange::Handler> next) : next_(std::move(next)) {}

  // Other requests than gRPC-Web's, and answers other than gRPC's, pass as they are.
  net::Task<Result<exchange::Response>> handle(exchange::Request& request) override;

 private:
  net::Task<Result<exchange::Response>> translate(exchange::Request& request, http::GrpcType asked);

  std::unique_ptr<exchange::Handler> next_;
};

}  // namespace rproxy::filter
