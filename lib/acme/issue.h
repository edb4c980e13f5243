// From a name to a certificate: an order, the proofs, the certificate (RFC 8555 7.1.3).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "acme/client.h"
#include "acme/solver.h"
#include "net/loop.h"
#include "net/task.h"
#include "x509/certified_key.h"
#include "x509/private_key.h"

namespace rproxy::acme {

using Solvers = std::vector<std::unique_ptr<Solver>>;

struct Wanted {
  Wanted() = default;

  std::vector<std::string> names;  // host names, also "*.shop.com", and addresses
  x509::KeyType key_type = x509::KeyType::kEcP256;
  std::string profile;
  std::string replaces;  // certificate_id() of the one that this one is for
  // Told of each step, for people.
  std::function<void(const std::string&)> on_step = [](const std::string&) {};
};

struct Issued {
  std::shared_ptr<const x509::CertifiedKey> key;
  std::string chain_pem;  // as the server has sent it
};

// `solvers`: the preferred first; of each name one proof is tried. `client` has been opened and has an account. Both outlive the task, and so
// does `loop`. Destroying it leaves the order to end by itself.
net::Task<Outcome<Issued>> issue(Client& client, const Solvers& solvers, Wanted wanted, net::Loop& loop);

// The same as far as the order is ready: all names are proven, and nothing is made.
net::Task<Outcome<Placed>> prove_names(Client& client, const Solvers& solvers, Wanted wanted, net::Loop& loop);

// Names a certificate for its authority (RFC 9773 4.1): its issuer's key and its serial number; "" where it has not both.
std::string certificate_id(const x509::Certificate& certificate);

}  // namespace rproxy::acme
