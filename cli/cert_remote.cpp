#include "cli/cert_remote.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <algorithm>
#include <utility>

#include "config/text.h"
#include "scan/run_within.h"

namespace rproxy::cli {
namespace {

constexpr std::size_t kBufferSize = std::size_t{32} * 1024;
// Over what each step may take.
constexpr Duration kMargin{1'000};
constexpr std::size_t kAtOnce = 16;

tl::unexpected<Error> too_slow() {
  return fail(ErrorCode::kHandshakeTimeout, Side::kUpstream, Retry::kSafe, "no answer in time");
}

net::Task<void> look_at(net::Loop& loop, const Wanted& wanted, Duration limit, Result<scan::Seen>& out) {
  Result<scan::Target> target = scan::Target{};
  if (wanted.found) {
    target->address = *wanted.found;
    target->label = wanted.address.to_string();
    target->server_name = wanted.server_name;
    target->timeout = limit;
    target->greeting = wanted.greeting;
  } else {
    target = co_await scan::find_target(loop, wanted.address, wanted.server_name, limit);
  }
  if (!target) {
    out = fail(std::move(target.error()));
    co_return;
  }
  scan::Offer offer;
  offer.alpn = {"h2", "http/1.1"};
  offer.ocsp = true;
  out = co_await scan::shake_hands(loop, std::move(*target), std::move(offer), false);
}

net::Task<void> look_at_all(net::Loop& loop, const std::vector<Wanted>& wanted, Duration limit,
                            std::vector<Result<scan::Seen>>& out) {
  for (std::size_t begin = 0; begin < wanted.size(); begin += kAtOnce) {
    std::vector<net::Child<void>> children;
    for (std::size_t i = begin; i < std::min(wanted.size(), begin + kAtOnce); ++i)
      children.emplace_back(look_at(loop, wanted[i], limit, out[i]));
    for (auto& each : children) {
      co_await each.wait();
      each.take();
    }
  }
}

}  // namespace

void RemoteOptions::add_to(CLI::App& command) {
  command.add_option("--server-name", server_name, "Of a server: ask for this name (SNI)")->type_name("NAME");
  command.add_option("--timeout", timeout, "Of a server: for each connection (5s)")->type_name("TIME");
}

Duration RemoteOptions::limit() const {
  const auto parsed = parse_duration(timeout);
  if (!parsed || parsed->count() == 0)
    refuse_cert(fmt::format("--timeout: {} is no time such as 5s", config::printable(timeout)));
  return *parsed;
}

std::optional<HostPort> parse_server(const std::string& where) {
  if (::access(where.c_str(), F_OK) == 0) return std::nullopt;
  std::string authority = where;
  constexpr std::string_view kScheme = "https://";
  if (authority.starts_with(kScheme)) {
    authority.erase(0, kScheme.size());
    authority.resize(std::min(authority.find_first_of("/?#"), authority.size()));
    const auto bracket = authority.rfind(']');
    if (authority.find(':', bracket == std::string::npos ? 0 : bracket) == std::string::npos) authority += ":443";
  }
  auto parsed = HostPort::parse(authority);
  if (!parsed || parsed->kind == HostPort::Kind::kAny) return std::nullopt;
  if (parsed->port == 0 && parsed->kind != HostPort::Kind::kUnix) return std::nullopt;
  return parsed;
}

void fail_neither(const std::string& where) {
  fail_cert(fmt::format("{}: there is no such file, and a server is written as HOST:PORT", config::printable(where)));
}

std::vector<Result<scan::Seen>> fetch_all(const std::vector<Wanted>& wanted, Duration limit) {
  std::vector<Result<scan::Seen>> results(wanted.size(), too_slow());
  net::Loop loop(kBufferSize);
  // Each is cut off by its own limit; a name may take as long before.
  const auto rounds = static_cast<long>(wanted.size() / kAtOnce + 1);
  scan::run_within(loop, (2 * limit + kMargin) * rounds, look_at_all(loop, wanted, limit, results));
  return results;
}

scan::Seen fetch(const std::string& where, const HostPort& address, const RemoteOptions& options) {
  auto seen = std::move(fetch_all({{address, options.server_name}}, options.limit()).front());
  if (!seen) fail_cert(fmt::format("{}: {}", config::printable(where), reason_of(seen.error())));
  if (seen->chain.empty()) fail_cert(fmt::format("{}: it shows no certificate", config::printable(where)));
  return std::move(*seen);
}

}  // namespace rproxy::cli
