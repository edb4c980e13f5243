#include "scan/say_hello.h"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <utility>

#include "net/connect.h"

namespace rproxy::scan {
namespace {

// A chain of certificates is in it.
constexpr std::size_t kAnswerMax = std::size_t{256} * 1024;

std::string random_bytes() {
  std::array<unsigned char, 32> bytes{};
  RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
  return {reinterpret_cast<char*>(bytes.data()), bytes.size()};
}

}  // namespace

net::Task<Result<ServerAnswer>> say_hello(net::Loop& loop, Target target, ClientHello hello) {
  const TimePoint end = Clock::now() + target.timeout;
  auto stream = co_await net::connect(loop, target.address, target.timeout);
  if (!stream) co_return fail(std::move(stream.error()));
  const std::string bytes = hello.to_bytes(random_bytes());
  (*stream)->set_write_timeout(target.timeout);
  auto sent = co_await (*stream)->write(bytes);
  if (!sent) co_return fail(std::move(sent.error()));
  ServerAnswer answer;
  std::string received;
  while (answer.kind == ServerAnswer::Kind::kMore) {
    // Whoever sends a little now and then does not put it off.
    const auto left = std::chrono::duration_cast<Duration>(end - Clock::now());
    if (left.count() <= 0) co_return fail(ErrorCode::kReadTimeout, Side::kUpstream, Retry::kSafe, target.label);
    (*stream)->set_read_timeout(left);
    auto got = co_await (*stream)->fill();
    // Many servers say no by ending it.
    const bool is_end =
        got ? *got == 0 : got.error().code == ErrorCode::kReset || got.error().code == ErrorCode::kClosed;
    if (!got && !is_end) co_return fail(std::move(got.error()));
    if (is_end || received.size() > kAnswerMax) {
      answer.kind = ServerAnswer::Kind::kOther;
      break;
    }
    received += (*stream)->input();
    (*stream)->consume((*stream)->input().size());
    answer = ServerAnswer::parse(received);
  }
  (*stream)->abort(false);
  co_return answer;
}

}  // namespace rproxy::scan
