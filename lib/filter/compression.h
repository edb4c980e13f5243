// Codes answers for clients that take it (RFC 9110 8.4.1, 12.5.3), decodes them for clients that don't take what they are in, and decodes
// what clients send, where that is asked for.
//
// Whoever lets an attacker's text and a secret into one answer tells the secret by the length of what comes of it (BREACH): such routes
// are to have no compression.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "exchange/exchange.h"
#include "filter/codecs.h"
#include "filter/compression_options.h"
#include "http/media_types.h"

namespace rproxy::filter {

class Compression final : public exchange::Handler {
 public:
  // `options` and `limits` outlive it.
  Compression(const CompressionOptions& options, const CompressionLimits& limits, std::shared_ptr<Codecs> codecs,
              std::unique_ptr<exchange::Handler> next);

  net::Task<Result<exchange::Response>> handle(exchange::Request& request) override;

 private:
  struct Asked;

  std::optional<exchange::Response> decode_request(exchange::Request& request) const;
  bool has_memory() const { return codecs_->memory() < limits_.memory.bytes; }
  codec::DecoderOptions decoder_options(http::Coding coding, Side side) const;
  void go_through(const exchange::Request& request, const Asked& asked, exchange::Response& response) const;
  void decode(const exchange::Request& request, const Asked& asked, exchange::Response& response) const;
  void offer_dictionary(const exchange::Request& request, const Asked& asked, exchange::Response& response) const;
  void encode(const exchange::Request& request, const Asked& asked, exchange::Response& response) const;
  std::optional<codec::EncoderOptions> options_for(const exchange::Request& request, http::Coding coding,
                                                   std::optional<std::uint64_t> length) const;

  const CompressionOptions& options_;
  const CompressionLimits& limits_;
  std::shared_ptr<Codecs> codecs_;
  http::MediaTypes types_;
  std::vector<http::Coding> offer_;                  // those of the options that there are
  std::vector<http::Coding> offer_with_dictionary_;  // to who has one
  std::unique_ptr<exchange::Handler> next_;
};

}  // namespace rproxy::filter
