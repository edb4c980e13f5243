#include "x509/path.h"

#include <openssl/err.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "x509/verification.h"

namespace rproxy::x509 {
namespace {

// Longer than any chain that is verified anywhere.
constexpr std::size_t kLengthMax = 32;

// The issuer among those not yet on the way, one whose signature is right before others.
std::optional<std::size_t> find_issuer(const std::vector<Certificate>& presented, const Path& path) {
  const Certificate& last = path.certificates.back();
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < presented.size(); ++i) {
    const bool is_used = std::ranges::find(path.places, i) != path.places.end();
    if (is_used || !is_named_issuer(presented[i], last) || is_same(presented[i], last)) continue;
    if (is_signed_by(last, presented[i])) return i;
    if (!found) found = i;
  }
  return found;
}

}  // namespace

bool is_named_issuer(const Certificate& issuer, const Certificate& certificate) {
  return X509_NAME_cmp(X509_get_subject_name(issuer.native()), X509_get_issuer_name(certificate.native())) == 0;
}

bool is_self_issued(const Certificate& certificate) { return is_named_issuer(certificate, certificate); }

bool is_same(const Certificate& left, const Certificate& right) { return X509_cmp(left.native(), right.native()) == 0; }

std::size_t find_leaf(const std::vector<Certificate>& presented) {
  const auto is_leaf = [](const Certificate& each) { return X509_check_ca(each.native()) == 0; };
  if (is_leaf(presented.front())) return 0;
  const auto found = std::ranges::find_if(presented, is_leaf);
  return found != presented.end() ? static_cast<std::size_t>(found - presented.begin()) : 0;
}

Path find_path(const std::vector<Certificate>& presented, std::size_t leaf, const TrustStore* trusted) {
  Path path{{presented[leaf]}, {leaf}, false};
  const auto is_in_store = [trusted](const Certificate& each) { return trusted != nullptr && trusted->has(each); };
  while (path.certificates.size() < kLengthMax) {
    const Certificate& last = path.certificates.back();
    if (is_in_store(last)) path.is_trusted = true;
    if (is_self_issued(last) && is_signed_by(last, last)) break;
    if (path.is_trusted && !is_self_issued(last) && !trusted->has_issuer_of(last)) break;
    if (const auto next = find_issuer(presented, path)) {
      path.certificates.push_back(presented[*next]);
      path.places.push_back(*next);
      continue;
    }
    auto issuer = trusted != nullptr ? trusted->issuer_of(last) : std::nullopt;
    if (!issuer || is_same(*issuer, last)) break;
    path.is_trusted = true;
    path.certificates.push_back(std::move(*issuer));
  }
  ERR_clear_error();
  return path;
}

}  // namespace rproxy::x509
