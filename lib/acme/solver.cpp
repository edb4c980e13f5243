#include "acme/solver.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>
#include <utility>

#include "jose/base64url.h"
#include "jose/signing_key.h"
#include "net/from_thread.h"
#include "net/sleep.h"
#include "x509/issuing.h"
#include "x509/private_key.h"

namespace rproxy::acme {
namespace {

// A client can ask for host names alone: an address is asked for by its name for reverse lookups (RFC 8738 6).
std::string asked_name(const std::string& name) {
  const auto address = IpAddress::parse(name);
  if (!address) return name;
  std::string text;
  if (address->is_v4()) {
    for (std::size_t i = 16; i-- > 12;) text += fmt::format("{}.", address->bytes[i]);
    return text + "in-addr.arpa";
  }
  for (std::size_t i = 16; i-- > 0;)
    text += fmt::format("{:x}.{:x}.", address->bytes[i] & 15U, address->bytes[i] >> 4U);
  return text + "ip6.arpa";
}

}  // namespace

void HttpChallenges::put(const std::string& token, std::string authorization) {
  const std::lock_guard lock(mutex_);
  known_[token] = std::move(authorization);
}

void HttpChallenges::remove(const std::string& token) {
  const std::lock_guard lock(mutex_);
  known_.erase(token);
}

std::string HttpChallenges::find(std::string_view token) const {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(token);
  return found != known_.end() ? found->second : std::string();
}

net::Task<Result<void>> Http01Solver::present(Proof proof) {
  challenges_.put(proof.token, proof.authorization);
  if (files_) co_return files_->put(proof.token, proof.authorization);
  co_return Result<void>();
}

net::Task<void> Http01Solver::withdraw(Proof proof) {
  drop(proof);
  co_return;
}

void Http01Solver::drop(const Proof& proof) {
  challenges_.remove(proof.token);
  if (files_) files_->remove(proof.token);
}

net::Task<Result<void>> TlsAlpn01Solver::present(Proof proof) {
  auto name = x509::SubjectName::parse(proof.name);
  if (!name) co_return fail(std::move(name.error()));
  auto key = x509::generate_key(x509::KeyType::kEcP256);
  if (!key) co_return fail(std::move(key.error()));
  auto certificate = x509::acme_alpn_certificate(*name, jose::sha256(proof.authorization), key->get(),
                                                 std::chrono::system_clock::now());
  if (!certificate) co_return fail(std::move(certificate.error()));
  auto both = x509::CertifiedKey::pair({std::move(*certificate)}, std::move(*key), "challenge", "challenge");
  if (!both) co_return fail(std::move(both.error()));
  auto identity = net::TlsIdentity::create(std::make_shared<const x509::CertifiedKey>(std::move(*both)));
  if (!identity) co_return fail(std::move(identity.error()));
  challenges_->answer(asked_name(proof.name), std::move(*identity));
  co_return Result<void>();
}

net::Task<void> TlsAlpn01Solver::withdraw(Proof proof) {
  drop(proof);
  co_return;
}

void TlsAlpn01Solver::drop(const Proof& proof) { challenges_->answer(asked_name(proof.name), nullptr); }

net::Task<Result<void>> Dns01Solver::present(Proof proof) {
  standing_ = proof.token;
  auto done = co_await run("present", std::move(proof));
  if (done) co_await net::Sleep(loop_, options_.propagation);
  co_return done;
}

net::Task<void> Dns01Solver::withdraw(Proof proof) {
  standing_.clear();
  (void)co_await run("cleanup", std::move(proof));
}

void Dns01Solver::drop(const Proof& proof) {
  if (options_.waits_when_dropped && standing_ == proof.token) (void)run_hook(hook_for("cleanup", proof));
}

Hook Dns01Solver::hook_for(const std::string& action, const Proof& proof) const {
  const std::string record = fmt::format("_acme-challenge.{}.", proof.name);
  const std::string value = jose::encode_base64url(jose::sha256(proof.authorization));
  Hook hook;
  hook.arguments = options_.hook;
  hook.arguments.insert(hook.arguments.end(), {action, record, value});
  hook.environment = {"RPROXY_ACME_ACTION=" + action, "RPROXY_ACME_RECORD=" + record, "RPROXY_ACME_VALUE=" + value,
                      "RPROXY_ACME_DOMAIN=" + proof.name};
  hook.timeout = options_.timeout;
  return hook;
}

// A program may take its time: a thread of its own waits for it.
net::Task<Result<void>> Dns01Solver::run(std::string action, Proof proof) {
  net::FromThread<Result<void>> answer(loop_);
  std::thread([hook = hook_for(action, proof), tell = answer.teller()] { tell(run_hook(hook)); }).detach();
  co_return co_await answer.told();
}

}  // namespace rproxy::acme
