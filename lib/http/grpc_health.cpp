#include "http/grpc_health.h"

namespace rproxy::http {
namespace {

// grpc/doc PROTOCOL-HTTP2.md: a flag for compression, and the length in four bytes.
constexpr std::size_t kPrefix = 5;

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>((value & 0x7f) | 0x80));
  out.push_back(static_cast<char>(value));
}

std::optional<std::uint64_t> take_varint(std::string_view& in) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !in.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(in.front());
    in.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

bool skip(std::string_view& in, std::uint64_t size) {
  if (size > in.size()) return false;
  in.remove_prefix(static_cast<std::size_t>(size));
  return true;
}

// A field we do not know, by its wire type.
bool skip_field(std::string_view& in, std::uint64_t wire_type) {
  switch (wire_type) {
    case 0:
      return take_varint(in).has_value();
    case 1:
      return skip(in, 8);
    case 2: {
      const auto size = take_varint(in);
      return size && skip(in, *size);
    }
    case 5:
      return skip(in, 4);
    default:
      return false;
  }
}

}  // namespace

std::string_view to_string(GrpcServing serving) {
  switch (serving) {
    case GrpcServing::kServing:
      return "SERVING";
    case GrpcServing::kNotServing:
      return "NOT_SERVING";
    case GrpcServing::kServiceUnknown:
      return "SERVICE_UNKNOWN";
    case GrpcServing::kUnknown:
      break;
  }
  return "UNKNOWN";
}

std::string encode_grpc_health_request(std::string_view service) {
  std::string message;
  if (!service.empty()) {
    message.push_back(0x0a);  // field 1, of a length
    put_varint(message, service.size());
    message.append(service);
  }
  std::string framed(1, '\0');
  for (int shift = 24; shift >= 0; shift -= 8) framed.push_back(static_cast<char>(message.size() >> shift & 0xff));
  return framed + message;
}

std::optional<GrpcServing> decode_grpc_health_response(std::string_view framed) {
  if (framed.size() < kPrefix || framed[0] != '\0') return std::nullopt;
  std::size_t size = 0;
  for (std::size_t i = 1; i < kPrefix; ++i) size = size << 8 | static_cast<unsigned char>(framed[i]);
  framed.remove_prefix(kPrefix);
  if (size != framed.size()) return std::nullopt;
  // What is not sent has its default.
  auto serving = GrpcServing::kUnknown;
  while (!framed.empty()) {
    const auto tag = take_varint(framed);
    if (!tag || *tag >> 3 == 0) return std::nullopt;
    if (*tag != 0x08) {
      if (!skip_field(framed, *tag & 7)) return std::nullopt;
      continue;
    }
    const auto value = take_varint(framed);
    if (!value) return std::nullopt;
    serving = *value <= 3 ? static_cast<GrpcServing>(*value) : GrpcServing::kUnknown;
  }
  return serving;
}

}  // namespace rproxy::http
