#include "acme/issue.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "acme/failed.h"
#include "jose/base64url.h"
#include "net/from_thread.h"
#include "net/sleep.h"
#include "x509/identifiers.h"
#include "x509/request.h"

namespace rproxy::acme {
namespace {

using std::chrono::seconds;

// Between two questions, if the server does not say: from the first on, twice as long each time.
constexpr seconds kFirstPause{1};
constexpr seconds kPauseMax{15};
// A server that validates from several places takes a minute or so; one that is not done by then never is.
constexpr seconds kPatience{600};

tl::unexpected<Failure> refused(const std::string& what, const std::optional<Problem>& problem) {
  Failure failure(Error(ErrorCode::kBadResponse, Side::kUpstream, Retry::kNever, 0, what));
  failure.problem = problem;
  if (problem) failure.subject = what;
  return failed(std::move(failure));
}

// The same question may be answered a little later.
bool passes(const Failure& failure) { return failure.error.retry != Retry::kNever; }

// How long to wait until the next question, and whether to ask at all.
class Patience {
 public:
  std::optional<Duration> next(const std::optional<seconds>& told) {
    const seconds pause = std::clamp(told.value_or(pause_), seconds{1}, seconds{60});
    pause_ = std::min(2 * pause_, kPauseMax);
    spent_ += pause;
    if (spent_ > kPatience) return std::nullopt;
    return std::chrono::duration_cast<Duration>(pause);
  }

 private:
  seconds pause_ = kFirstPause;
  seconds spent_{0};
};

struct Choice {
  Solver* solver = nullptr;
  const Challenge* challenge = nullptr;
};

Choice choose(const Solvers& solvers, const Authorization& authorization) {
  for (const auto& solver : solvers) {
    const auto offered = std::ranges::find(authorization.challenges, to_string(solver->type()), &Challenge::type);
    if (offered != authorization.challenges.end() && is_token(offered->token)) return {solver.get(), &*offered};
  }
  return {};
}

std::string offered_by(const Authorization& authorization) {
  std::string text;
  for (const Challenge& challenge : authorization.challenges) text += (text.empty() ? "" : ", ") + challenge.type;
  return text.empty() ? "nothing" : text;
}

// Why the server did not believe it.
std::optional<Problem> problem_in(const Authorization& authorization) {
  for (const Challenge& challenge : authorization.challenges) {
    if (challenge.problem) return challenge.problem;
  }
  return std::nullopt;
}

net::Task<Outcome<void>> wait_for_validation(Client& client, std::string url, std::string name, net::Loop& loop) {
  Patience patience;
  for (;;) {
    auto authorization = co_await client.authorization(url);
    if (!authorization && !passes(authorization.error())) co_return failed(std::move(authorization.error()));
    if (authorization && authorization->status == Status::kValid) co_return Outcome<void>();
    if (authorization && authorization->status != Status::kPending && authorization->status != Status::kProcessing) {
      co_return refused(name + " was not validated", problem_in(*authorization));
    }
    const auto pause = patience.next(authorization ? authorization->retry_after : authorization.error().retry_after);
    if (!pause) co_return bad_answer(name + " is not validated in time");
    co_await net::Sleep(loop, *pause);
  }
}

// What was presented goes with the order, however that ends.
class Presented {
 public:
  Presented(Solver& solver, const Proof& proof) : solver_(solver), proof_(proof) {}
  Presented(const Presented&) = delete;
  Presented& operator=(const Presented&) = delete;
  ~Presented() { solver_.drop(proof_); }

 private:
  Solver& solver_;
  const Proof& proof_;
};

net::Task<Outcome<void>> prove(Client& client, Solver& solver, Challenge challenge, Proof proof, std::string url,
                               net::Loop& loop) {
  if (auto done = co_await solver.present(proof); !done) co_return failed(std::move(done.error()));
  auto begun = co_await client.begin(challenge.url);
  if (!begun) co_return begun;
  co_return co_await wait_for_validation(client, std::move(url), proof.name, loop);
}

net::Task<Outcome<void>> authorize(Client& client, const Solvers& solvers, const jose::SigningKey& key, std::string url,
                                   const Wanted& wanted, net::Loop& loop) {
  auto authorization = co_await client.authorization(url);
  if (!authorization) co_return failed(std::move(authorization.error()));
  if (authorization->status == Status::kValid) {
    wanted.on_step(authorization->name + " is proven already");
    co_return Outcome<void>();
  }
  const Choice choice = choose(solvers, *authorization);
  if (choice.solver == nullptr) {
    co_return bad_answer(fmt::format("no way to prove {}{}: the server takes {}",
                                     authorization->is_wildcard ? "*." : "", authorization->name,
                                     offered_by(*authorization)));
  }
  Proof proof;
  proof.name = authorization->name;
  proof.token = choice.challenge->token;
  proof.authorization = key_authorization(proof.token, key);
  const Presented presented(*choice.solver, proof);
  wanted.on_step(fmt::format("proving {} by {}", proof.name, to_string(choice.solver->type())));
  auto done = co_await prove(client, *choice.solver, *choice.challenge, proof, std::move(url), loop);
  co_await choice.solver->withdraw(proof);
  if (!done && done.error().subject.empty()) done.error().subject = "proving " + proof.name;
  co_return done;
}

net::Task<Outcome<Placed>> wait_for_order(Client& client, Placed placed, Status until, net::Loop& loop) {
  Patience patience;
  for (;;) {
    const Status status = placed.order.status;
    if (status == until || status == Status::kValid) co_return placed;
    if (status == Status::kInvalid) co_return refused("the order was refused", placed.order.problem);
    const auto pause = patience.next(placed.retry_after);
    if (!pause) co_return bad_answer("the order is not done in time");
    co_await net::Sleep(loop, *pause);
    auto next = co_await client.order(placed.url);
    if (!next && !passes(next.error())) co_return next;
    if (next) placed = std::move(*next);
  }
}

// One of RSA takes seconds, which nobody else is to wait for.
net::Task<Result<x509::KeyPtr>> make_key(x509::KeyType type, net::Loop& loop) {
  net::FromThread<Result<x509::KeyPtr>> answer(loop);
  std::thread([type, tell = answer.teller()] { tell(x509::generate_key(type)); }).detach();
  co_return co_await answer.told();
}

Outcome<std::string> request_for(const std::vector<std::string>& names, EVP_PKEY* key) {
  x509::Request::Options options;
  for (const std::string& name : names) {
    auto parsed = x509::SubjectName::parse(name);
    if (!parsed) return failed(std::move(parsed.error()));
    options.names.push_back(std::move(*parsed));
  }
  auto request = x509::Request::create(options, key);
  if (!request) return failed(std::move(request.error()));
  return request->to_der();
}

// What has come is what was asked for.
Outcome<Issued> take(std::string chain_pem, x509::KeyPtr key, const Wanted& wanted) {
  constexpr std::size_t kChainMax = 10;
  auto chain = x509::parse_certificates(chain_pem, "the ACME server's certificate", kChainMax);
  if (!chain) return failed(std::move(chain.error()));
  auto both = x509::CertifiedKey::pair(std::move(*chain), std::move(key), "the ACME server's certificate",
                                       "the key it was requested with");
  if (!both) return failed(std::move(both.error()));
  for (const std::string& name : wanted.names) {
    const auto& leaf = both->leaf();
    const auto address = IpAddress::parse(name);
    const bool is_there = address ? std::ranges::find(leaf.ip_addresses(), *address) != leaf.ip_addresses().end()
                                  : std::ranges::find(leaf.dns_names(), name) != leaf.dns_names().end();
    if (!is_there) return bad_answer("the ACME server's certificate is not for " + name);
  }
  return Issued{std::make_shared<const x509::CertifiedKey>(std::move(*both)), std::move(chain_pem)};
}

}  // namespace

net::Task<Outcome<Placed>> prove_names(Client& client, const Solvers& solvers, Wanted wanted, net::Loop& loop) {
  auto placed = co_await client.place_order(wanted.names, wanted.profile, wanted.replaces);
  if (!placed) co_return failed(std::move(placed.error()));
  for (const std::string& url : placed->order.authorizations) {
    auto done = co_await authorize(client, solvers, client.key(), url, wanted, loop);
    if (!done) co_return failed(std::move(done.error()));
  }
  auto ready = co_await client.order(placed->url);
  if (ready) ready = co_await wait_for_order(client, std::move(*ready), Status::kReady, loop);
  co_return ready;
}

net::Task<Outcome<Issued>> issue(Client& client, const Solvers& solvers, Wanted wanted, net::Loop& loop) {
  auto ready = co_await prove_names(client, solvers, wanted, loop);
  if (!ready) co_return failed(std::move(ready.error()));
  const std::string order_url = ready->url;
  wanted.on_step("asking for the certificate");
  auto key = co_await make_key(wanted.key_type, loop);
  if (!key) co_return failed(std::move(key.error()));
  auto request = request_for(wanted.names, key->get());
  if (!request) co_return failed(std::move(request.error()));
  auto made = co_await client.finalize(ready->order.finalize, std::move(*request));
  if (made) made->url = order_url;
  if (made) made = co_await wait_for_order(client, std::move(*made), Status::kValid, loop);
  if (!made) co_return failed(std::move(made.error()));
  if (made->order.certificate.empty()) co_return bad_answer("the order is done, but there is no certificate");
  Patience patience;
  auto chain = co_await client.certificate(made->order.certificate);
  while (!chain && passes(chain.error())) {
    const auto pause = patience.next(chain.error().retry_after);
    if (!pause) break;
    co_await net::Sleep(loop, *pause);
    chain = co_await client.certificate(made->order.certificate);
  }
  if (!chain) co_return failed(std::move(chain.error()));
  co_return take(std::move(*chain), std::move(*key), wanted);
}

std::string certificate_id(const x509::Certificate& certificate) {
  const std::string issuer = x509::authority_key_id(certificate);
  const std::string serial = x509::serial_number(certificate);
  if (issuer.empty() || serial.empty()) return {};
  return jose::encode_base64url(issuer) + "." + jose::encode_base64url(serial);
}

}  // namespace rproxy::acme
