// What of gRPC shows in heads: content types, statuses and messages (grpc/doc PROTOCOL-HTTP2.md, PROTOCOL-WEB.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/arena.h"
#include "http/fields.h"

namespace rproxy::http {

struct GrpcType {
  enum class Kind : std::uint8_t { kNone, kGrpc, kWeb, kWebText };
  Kind kind = Kind::kNone;
  std::string_view suffix;  // "+proto", or empty

  explicit operator bool() const { return kind != Kind::kNone; }
  bool is_web() const { return kind == Kind::kWeb || kind == Kind::kWebText; }
};

// "application/grpc", "application/grpc-web" or "application/grpc-web-text", each with or without "+name"; parameters are let pass.
GrpcType grpc_type(std::string_view content_type);
GrpcType grpc_type(const Fields& fields);

// The content type's text, without parameters; in the arena, where there is a suffix.
std::string_view to_string(const GrpcType& type, Arena& arena);

enum class GrpcStatus : std::uint8_t {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kDeadlineExceeded = 4,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kUnauthenticated = 16,
};

// What a failure with that HTTP status is called in gRPC.
GrpcStatus grpc_status_of(std::uint16_t status);

// The number in a grpc-status field; nothing for anything but one to three digits.
std::optional<std::uint16_t> parse_grpc_status(std::string_view text);

// Percent-encoded as grpc-message wants it; the text itself where nothing is to be encoded.
std::string_view encode_grpc_message(std::string_view text, Arena& arena);

}  // namespace rproxy::http
