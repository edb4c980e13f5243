#include "scan/scanner.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "net/task_group.h"
#include "scan/cipher.h"
#include "scan/say_hello.h"
#include "scan/tls_client.h"

namespace rproxy::scan {
namespace {

constexpr std::uint8_t kInappropriateFallback = 86;
// A server that always takes what was just left out would never end it.
constexpr std::size_t kRoundsMax = 100;

std::vector<std::uint16_t> ciphers_for(std::uint16_t version) {
  std::vector<std::uint16_t> numbers;
  for (const Cipher& each : version >= kTls13 ? tls13_ciphers() : older_ciphers()) numbers.push_back(each.number);
  return numbers;
}

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return text;
}

std::string in_words(const Error& error) {
  std::string words = describe(error);
  const auto end = words.find(':');
  std::replace(words.begin(), end == std::string::npos ? words.end() : words.begin() + static_cast<std::ptrdiff_t>(end),
               '_', ' ');
  return words;
}

// The value of a field of a head; "" where there is none.
std::string field_of(const std::string& head, std::string_view name) {
  for (std::size_t at = head.find("\r\n"); at != std::string::npos; at = head.find("\r\n", at)) {
    at += 2;
    const auto line = std::string_view(head).substr(at, head.find("\r\n", at) - at);
    const auto colon = line.find(':');
    if (colon == line.npos || lower(std::string(line.substr(0, colon))) != name) continue;
    const auto value = line.substr(colon + 1);
    const auto begin = std::min(value.find_first_not_of(" \t"), value.size());
    return std::string(value.substr(begin));
  }
  return {};
}

}  // namespace

net::Task<void> Scanner::run() {
  report_.address = target_.label;
  report_.server_name = target_.server_name;
  co_await find_versions();
  if (report_.protocols.empty() && report_.problems.empty()) {
    co_await find_certificate();
    report_.problems.clear();
    add_version();
  }
  if (report_.protocols.empty()) co_return;
  {
    std::vector<net::Child<void>> children;
    for (Protocol& each : report_.protocols) children.emplace_back(find_ciphers(each));
    if (report_.chain.empty()) children.emplace_back(find_certificate());
    for (auto& each : children) {
      co_await each.wait();
      each.take();
    }
  }
  add_version();
  std::vector<net::Child<void>> children;
  children.emplace_back(find_groups());
  children.emplace_back(find_old_ways());
  children.emplace_back(find_alpn());
  children.emplace_back(find_http());
  children.emplace_back(find_resumption());
  for (auto& each : children) {
    co_await each.wait();
    each.take();
  }
}

// There are servers that want a key share in the first hello, whatever RFC 8446 4.2.8 says.
void Scanner::add_version() {
  if (version_ == 0 || report_.find(version_) != nullptr) return;
  report_.protocols.push_back({version_, {cipher_}, false});
  std::ranges::sort(report_.protocols, std::greater{}, &Protocol::version);
}

void Scanner::note_problem(const std::string& what, const Error& error) {
  std::string problem = fmt::format("{}: {}", what, in_words(error));
  // The same failure again and again is one.
  if (std::ranges::find(report_.problems, problem) == report_.problems.end())
    report_.problems.push_back(std::move(problem));
}

ClientHello Scanner::hello_of(std::uint16_t version) const {
  ClientHello hello;
  hello.version = version;
  hello.ciphers = ciphers_for(version);
  const auto groups = known_groups();
  // Before TLS 1.3 those are what they were: curves.
  for (const std::uint16_t group : groups) {
    if (version >= kTls13 || group < 0x0100) hello.groups.push_back(group);
  }
  hello.server_name = target_.server_name;
  return hello;
}

// What fails, and fails again, is no answer.
net::Task<ServerAnswer> Scanner::ask(ClientHello hello) {
  auto answer = co_await say_hello(loop_, target_, hello);
  if (!answer) answer = co_await say_hello(loop_, target_, std::move(hello));
  if (answer) co_return *answer;
  note_problem("a connection failed, and what it was to find out is missing", answer.error());
  ServerAnswer none;
  none.kind = ServerAnswer::Kind::kOther;
  co_return none;
}

// ---- Versions and ciphers.

net::Task<void> Scanner::find_versions() {
  constexpr std::uint16_t kVersions[] = {kTls13, kTls12, kTls11, kTls10, kSsl3};
  bool is_spoken[std::size(kVersions)] = {};
  std::vector<net::Child<void>> children;
  for (std::size_t i = 0; i < std::size(kVersions); ++i)
    children.emplace_back(find_version(kVersions[i], is_spoken[i]));
  for (auto& each : children) {
    co_await each.wait();
    each.take();
  }
  for (std::size_t i = 0; i < std::size(kVersions); ++i) {
    if (is_spoken[i]) report_.protocols.push_back({kVersions[i], {}, false});
  }
}

net::Task<void> Scanner::find_version(std::uint16_t version, bool& is_spoken) {
  auto answer = co_await say_hello(loop_, target_, hello_of(version));
  // A server that is there passes over what it does not speak, too.
  if (!answer)
    note_problem("can't be asked", answer.error());
  else
    is_spoken = answer->kind == ServerAnswer::Kind::kHello && answer->version == version;
}

// Each round without those that the server has taken before.
net::Task<void> Scanner::find_ciphers(Protocol& protocol) {
  ClientHello hello = hello_of(protocol.version);
  for (std::size_t round = 0; round < kRoundsMax && !hello.ciphers.empty(); ++round) {
    const ServerAnswer answer = co_await ask(hello);
    const auto taken = std::ranges::find(hello.ciphers, answer.cipher);
    if (answer.kind != ServerAnswer::Kind::kHello || taken == hello.ciphers.end()) break;
    protocol.ciphers.push_back(answer.cipher);
    if (answer.dh_bits != 0)
      report_.dh_bits = report_.dh_bits == 0 ? answer.dh_bits : std::min(report_.dh_bits, answer.dh_bits);
    hello.ciphers.erase(taken);
  }
  if (protocol.ciphers.size() > 1) co_await find_order(protocol);
}

// The client's order turned around: who has one of its own takes the same.
net::Task<void> Scanner::find_order(Protocol& protocol) {
  ClientHello hello = hello_of(protocol.version);
  hello.ciphers.assign(protocol.ciphers.rbegin(), protocol.ciphers.rend());
  const ServerAnswer answer = co_await ask(hello);
  protocol.prefers_own = answer.kind == ServerAnswer::Kind::kHello && answer.cipher == protocol.ciphers.front();
}

net::Task<void> Scanner::find_groups() {
  const std::uint16_t version = report_.protocols.front().version;
  ClientHello hello = hello_of(version);
  for (std::size_t round = 0; round < kRoundsMax && !hello.groups.empty(); ++round) {
    const ServerAnswer answer = co_await ask(hello);
    const auto taken = std::ranges::find(hello.groups, answer.group);
    if (answer.kind != ServerAnswer::Kind::kHello || taken == hello.groups.end()) break;
    report_.groups.push_back(answer.group);
    hello.groups.erase(taken);
  }
  if (version < kTls13 && !report_.groups.empty()) co_await find_more_groups(hello.groups);
}

// Before TLS 1.3 a certificate's own curve has to be offered, too (RFC 8422 5.1): without it all ended. Others behind it in the server's order
// are only for who asks for them first, if at all.
net::Task<void> Scanner::find_more_groups(std::vector<std::uint16_t> groups) {
  const std::uint16_t last = report_.groups.back();
  for (const std::uint16_t group : groups) {
    ClientHello hello = hello_of(report_.protocols.front().version);
    hello.groups = {group, last};
    const ServerAnswer answer = co_await ask(std::move(hello));
    if (answer.kind == ServerAnswer::Kind::kHello && answer.group == group) report_.groups.push_back(group);
  }
}

// What is left of before TLS 1.3.
net::Task<void> Scanner::find_old_ways() {
  const auto older =
      std::ranges::find_if(report_.protocols, [](const Protocol& each) { return each.version < kTls13; });
  if (older == report_.protocols.end()) co_return;
  ClientHello hello = hello_of(older->version);
  hello.compression = true;
  const ServerAnswer answer = co_await ask(hello);
  if (answer.kind == ServerAnswer::Kind::kHello) {
    report_.compression = answer.compression;
    report_.renegotiation = answer.renegotiation;
    report_.master_secret = answer.extended_master_secret;
  }
  // Only who speaks something newer can say no (RFC 7507 3).
  if (older == report_.protocols.begin() && older + 1 == report_.protocols.end()) co_return;
  const std::uint16_t version = older == report_.protocols.begin() ? (older + 1)->version : older->version;
  ClientHello fallback = hello_of(version);
  fallback.fallback = true;
  const ServerAnswer refused = co_await ask(fallback);
  report_.fallback = refused.kind == ServerAnswer::Kind::kAlert && refused.alert == kInappropriateFallback;
}

// ---- Whole handshakes.

net::Task<void> Scanner::find_certificate() {
  Offer offer;
  offer.alpn = {"h2", "http/1.1"};
  offer.ocsp = true;
  auto seen = co_await shake_hands(loop_, target_, offer, false);
  if (!seen) {
    note_problem("the handshake for the certificate failed", seen.error());
    co_return;
  }
  version_ = seen->version;
  cipher_ = seen->cipher_number;
  report_.chain = std::move(seen->chain);
  if (!seen->ocsp.empty()) report_.ocsp = x509::parse_ocsp(seen->ocsp);
  if (report_.chain.empty()) co_return;
  x509::ChainQuestion question;
  question.presented = report_.chain;
  question.trusted = trusted_;
  if (!target_.server_name.empty()) question.names = {target_.server_name};
  question.now = now_;
  report_.verdict = x509::verify_chain(question);
}

net::Task<void> Scanner::find_alpn() {
  for (const char* protocol : {"h2", "http/1.1"}) {
    Offer offer;
    offer.alpn = {protocol};
    auto seen = co_await shake_hands(loop_, target_, offer, false);
    if (seen && seen->alpn == protocol) report_.alpn.emplace_back(protocol);
  }
}

net::Task<void> Scanner::find_http() {
  Offer offer;
  offer.alpn = {"http/1.1"};
  auto seen = co_await shake_hands(loop_, target_, offer, true);
  if (!seen) co_return;
  report_.is_http = seen->head.starts_with("HTTP/");
  report_.hsts = field_of(seen->head, "strict-transport-security");
  if (!report_.find(kTls13)) co_return;
  report_.early_data_max = seen->early_data_max;
  report_.early_data = seen->early_data_max > 0;
  report_.resumption.tls13 = false;
  if (!seen->session) co_return;
  offer.session = seen->session;
  auto again = co_await shake_hands(loop_, target_, offer, false);
  report_.resumption.tls13 = again && again->is_resumed;
}

net::Task<void> Scanner::find_resumption() {
  if (!report_.find(kTls12)) co_return;
  report_.resumption.tls12_ticket = co_await resumes(kTls12, true);
  report_.resumption.tls12_id = co_await resumes(kTls12, false);
}

net::Task<std::optional<bool>> Scanner::resumes(std::uint16_t version, bool with_ticket) {
  Offer offer;
  offer.version_max = version;
  offer.tickets = with_ticket;
  auto first = co_await shake_hands(loop_, target_, offer, false);
  if (!first) co_return std::nullopt;
  if (!first->session || first->has_ticket != with_ticket) co_return false;
  offer.session = first->session;
  auto again = co_await shake_hands(loop_, target_, offer, false);
  co_return again && again->is_resumed;
}

}  // namespace rproxy::scan
