#include "upstream/probe_words.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace rproxy::upstream {
namespace {

using Failure = ProbeResult::Failure;

std::string with(std::string_view what, const std::string& context) {
  return context.empty() ? std::string(what) : fmt::format("{}: {}", what, context);
}

}  // namespace

std::string_view to_string(Failure failure) {
  switch (failure) {
    case Failure::kNone:
      return "ok";
    case Failure::kResolve:
      return "resolve";
    case Failure::kLocal:
      return "local";
    case Failure::kConnect:
      return "connect";
    case Failure::kTls:
      return "tls";
    case Failure::kTimeout:
      return "timeout";
    case Failure::kAnswer:
      return "answer";
    case Failure::kStatus:
      return "status";
    case Failure::kBody:
      return "body";
    case Failure::kLatency:
      return "latency";
    case Failure::kServing:
      return "serving";
  }
  return "";
}

FailureWords words_of(const Error& error, bool connected) {
  const Failure failure = connected ? Failure::kAnswer : Failure::kConnect;
  switch (error.code) {
    case ErrorCode::kConnectRefused:
      // Of a Unix socket that is not there it says no less.
      if (error.os_error == ENOENT) return {Failure::kConnect, "there is no such socket"};
      return {Failure::kConnect, "connection refused"};
    case ErrorCode::kUnreachable:
      return {Failure::kConnect, "host or network unreachable"};
    case ErrorCode::kConnectTimeout:
      return {Failure::kConnect, "connecting timed out"};
    case ErrorCode::kResolveFailed:
      return {Failure::kResolve, error.context};
    case ErrorCode::kOutOfDescriptors:
      return {Failure::kLocal, "this process is out of file descriptors"};
    case ErrorCode::kTlsVerify:
      return {Failure::kTls, with("certificate refused", error.context)};
    case ErrorCode::kTlsHandshake:
      return {Failure::kTls, with("TLS handshake failed", error.context)};
    case ErrorCode::kReset:
      return {failure, with("connection reset", error.context)};
    case ErrorCode::kClosed:
    case ErrorCode::kTruncated:
      return {failure, with("connection closed too early", error.context)};
    case ErrorCode::kBadResponse:
    case ErrorCode::kBadFraming:
      return {failure, with("not an answer in HTTP as spoken here", error.context)};
    case ErrorCode::kHeadTooLarge:
      return {failure, "the answer's head is too large"};
    default:
      break;
  }
  if (error.os_error != 0) return {failure, std::strerror(error.os_error)};
  return {failure, error.context.empty() ? std::string(to_string(error.code)) : error.context};
}

std::string words_of(std::chrono::microseconds time) {
  const double ms = static_cast<double>(time.count()) / 1000;
  if (ms < 10) return fmt::format("{:.1f} ms", ms);
  return ms < 1000 ? fmt::format("{:.0f} ms", ms) : fmt::format("{:.1f} s", ms / 1000);
}

std::string words_of_grpc(std::uint16_t status, std::string_view service) {
  constexpr std::uint16_t kNotFound = 5;
  constexpr std::uint16_t kUnimplemented = 12;
  if (status == kNotFound) return fmt::format("the server does not know the service \"{}\"", excerpt(service));
  if (status == kUnimplemented) return "the server has no health service";
  return fmt::format("gRPC status {}", status);
}

std::string excerpt(std::string_view text) {
  constexpr std::size_t kShownMax = 40;
  std::string shown(text.substr(0, kShownMax));
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return text.size() > kShownMax ? shown + "..." : shown;
}

}  // namespace rproxy::upstream
