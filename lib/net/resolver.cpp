#include "net/resolver.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "net/dns_question.h"
#include "net/hosts_file.h"
#include "net/local_families.h"

namespace rproxy::net {
namespace {

// A hosts file says nothing of how long it holds.
constexpr Duration kLocalTtl{30'000};

tl::unexpected<Error> failure(const std::string& name, const std::string& reason) {
  return fail(ErrorCode::kResolveFailed, Side::kLocal, Retry::kNever, fmt::format("{}: {}", name, reason));
}

constexpr IpAddress kLoopbackV6{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};

}  // namespace

// What one question brought: addresses, or why there are none.
struct Resolver::Part {
  // Not an aggregate: GCC 12 destroys an aggregate's temporary twice within a co_await expression.
  Part(DnsReply::Kind what, std::string why, DnsAddresses addresses)
      : kind(what), reason(std::move(why)), found(std::move(addresses)) {}

  DnsReply::Kind kind;
  std::string reason;
  DnsAddresses found;

  bool has_failed() const { return kind == DnsReply::Kind::kFailed; }
};

Task<Resolver::Part> Resolver::ask(std::string name, DnsType type) {
  DnsQuestion question(loop_, options_, name, type);
  DnsReply reply = co_await question;
  if (reply.kind != DnsReply::Kind::kAnswer) co_return Part(reply.kind, std::move(reply.reason), {});
  auto found = parse_addresses(reply.message, type);
  if (!found) co_return Part(DnsReply::Kind::kFailed, "the DNS server's answer is malformed", {});
  if (found->addresses.empty()) co_return Part(DnsReply::Kind::kNoData, "the name has no such records", {});
  co_return Part(DnsReply::Kind::kAnswer, {}, std::move(*found));
}

Resolver::Answer Resolver::cut(std::vector<IpAddress> addresses, Duration ttl) const {
  Answer answer{std::move(addresses), ttl, 0, {}};
  std::ranges::sort(answer.addresses);
  if (answer.addresses.size() > options_.max_answers) {
    answer.left_out = answer.addresses.size() - options_.max_answers;
    answer.addresses.resize(options_.max_answers);
  }
  return answer;
}

LocalFamilies Resolver::families() const {
  return options_.every_family ? LocalFamilies{true, true, true} : local_families();
}

std::optional<Resolver::Answer> Resolver::find_local(const std::string& name, Family family,
                                                     const LocalFamilies& here) const {
  if (const auto literal = IpAddress::parse(name)) return cut({*literal}, kLocalTtl);
  auto found = find_host_in_file(options_.hosts_file, name);
  std::erase_if(found, [&](const IpAddress& address) {
    if (family != Family::kAny) return address.is_v4() != (family == Family::kIpv4);
    return !address.is_v4() && !(address == kLoopbackV6 ? here.loopback_v6 : here.v6);
  });
  if (found.empty()) return std::nullopt;
  return cut(std::move(found), kLocalTtl);
}

Task<Result<Resolver::Answer>> Resolver::resolve(std::string name, Family family) {
  const LocalFamilies here = families();
  if (auto local = find_local(name, family, here)) co_return std::move(*local);
  if (family == Family::kAny && here.v4 != here.v6) family = here.v4 ? Family::kIpv4 : Family::kIpv6;
  if (family != Family::kAny) {
    Part part = co_await ask(name, family == Family::kIpv4 ? DnsType::kA : DnsType::kAaaa);
    if (part.kind != DnsReply::Kind::kAnswer) co_return failure(name, part.reason);
    co_return cut(std::move(part.found.addresses), part.found.ttl);
  }
  Child<Part> other(ask(name, DnsType::kAaaa));
  Part v4 = co_await ask(name, DnsType::kA);
  co_await other.wait();
  Part v6 = other.take();
  const bool has_v4 = v4.kind == DnsReply::Kind::kAnswer;
  const bool has_v6 = v6.kind == DnsReply::Kind::kAnswer;
  if (!has_v4 && !has_v6) {
    // A failure may be over the next time; that there is nothing is said only by an answer.
    co_return failure(name, v4.has_failed() || !v6.has_failed() ? v4.reason : v6.reason);
  }
  auto addresses = std::move(v4.found.addresses);
  addresses.insert(addresses.end(), v6.found.addresses.begin(), v6.found.addresses.end());
  const Duration ttl = !has_v6 ? v4.found.ttl : !has_v4 ? v6.found.ttl : std::min(v4.found.ttl, v6.found.ttl);
  Answer answer = cut(std::move(addresses), ttl);
  if (v4.has_failed()) answer.missing = Family::kIpv4;
  if (v6.has_failed()) answer.missing = Family::kIpv6;
  co_return answer;
}

Task<Result<Resolver::Services>> Resolver::resolve_srv(std::string name) {
  DnsQuestion question(loop_, options_, name, DnsType::kSrv);
  DnsReply reply = co_await question;
  if (reply.kind != DnsReply::Kind::kAnswer) co_return failure(name, reply.reason);
  auto found = parse_services(reply.message);
  if (!found) co_return failure(name, "the DNS server's answer is malformed");
  // RFC 2782: a single "." says that there is decidedly no such service.
  std::erase_if(found->services,
                [](const DnsService& service) { return service.target.empty() || service.target == "."; });
  if (found->services.empty()) co_return failure(name, "the name has no such services");
  Services answer{std::move(found->services), found->ttl, 0};
  if (answer.services.size() > options_.max_answers) {
    answer.left_out = answer.services.size() - options_.max_answers;
    answer.services.resize(options_.max_answers);
  }
  co_return answer;
}

}  // namespace rproxy::net
