// The way from a certificate to the authority it goes back to.
#pragma once

#include <cstddef>
#include <vector>

#include "x509/certificate.h"
#include "x509/trust_store.h"

namespace rproxy::x509 {

struct Path {
  std::vector<Certificate> certificates;  // the leaf first
  std::vector<std::size_t> places;        // of those among what was presented, in the order of the path
  bool is_trusted = false;
};

// Which of them is the one that all others are there for: the first, unless that is an authority and another one is not.
std::size_t find_leaf(const std::vector<Certificate>& presented);

// By names, and by signatures where several have the same name; whether they may sign is not asked. What is missing is taken from `trusted`
// (null: nothing is).
Path find_path(const std::vector<Certificate>& presented, std::size_t leaf, const TrustStore* trusted);

// By subject and issuer alone.
bool is_named_issuer(const Certificate& issuer, const Certificate& certificate);
bool is_self_issued(const Certificate& certificate);
bool is_same(const Certificate& left, const Certificate& right);

}  // namespace rproxy::x509
