#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "scan/cipher.h"
#include "scan/report.h"

namespace rproxy::scan {
namespace {

// The worst last.
constexpr std::string_view kGrades[] = {"A+", "A", "B", "C", "F"};

std::size_t rank(std::string_view grade) {
  return grade.empty() ? 0 : static_cast<std::size_t>(std::ranges::find(kGrades, grade) - std::begin(kGrades));
}

std::string names_of(const std::vector<std::uint16_t>& ciphers) {
  constexpr std::size_t kNamed = 3;
  std::string out;
  for (std::size_t i = 0; i < std::min(ciphers.size(), kNamed); ++i)
    out += (i == 0 ? "" : ", ") + cipher_name(ciphers[i]);
  return ciphers.size() > kNamed ? fmt::format("{} and {} more", out, ciphers.size() - kNamed) : out;
}

// RFC 6797: half a year is what lists of such hosts ask for at least.
constexpr std::uint64_t kHstsMin = 15'552'000;

std::uint64_t max_age(const std::string& hsts) {
  const auto at = hsts.find("max-age=");
  if (at == std::string::npos) return 0;
  const char* begin = hsts.data() + at + 8;
  const char* end = hsts.data() + hsts.size();
  if (begin != end && *begin == '"') ++begin;
  std::uint64_t seconds = 0;
  std::from_chars(begin, end, seconds);
  return seconds;
}

class Grader {
 public:
  explicit Grader(const Report& report) : report_(report) {}

  Grade run() {
    if (report_.protocols.empty()) {
      add("F", "no-tls", "no version of TLS is spoken there", "check host and port");
    } else {
      look_at_versions();
      look_at_ciphers();
      look_at_old_ways();
      look_at_certificate();
      look_at_rest();
    }
    std::ranges::stable_sort(reasons_, std::greater{}, [](const Reason& each) { return rank(each.grade); });
    Grade grade{"A+", std::move(reasons_)};
    if (!grade.reasons.empty()) grade.letter = kGrades[rank(grade.reasons.front().grade)];
    return grade;
  }

 private:
  void add(const char* grade, const char* word, std::string text, const char* remedy) {
    reasons_.push_back({grade, word, std::move(text), remedy});
  }
  std::vector<std::uint16_t> ciphers_of(Strength strength) const {
    std::vector<std::uint16_t> found;
    for (const Protocol& protocol : report_.protocols) {
      for (const std::uint16_t each : protocol.ciphers) {
        if (cipher_strength(each) == strength && std::ranges::find(found, each) == found.end()) found.push_back(each);
      }
    }
    return found;
  }

  void look_at_versions() {
    if (report_.find(kSsl3) != nullptr)
      add("F", "ssl3", "SSL 3 is spoken, which is broken (RFC 7568)", "allow TLS 1.2 and TLS 1.3 alone");
    std::string old;
    for (const std::uint16_t version : {kTls10, kTls11}) {
      if (report_.find(version) != nullptr) old += (old.empty() ? "" : " and ") + version_name(version);
    }
    if (!old.empty())
      add("B", "old-tls", old + " is spoken, which is deprecated (RFC 8996)", "allow TLS 1.2 and TLS 1.3 alone");
    if (report_.find(kTls13) == nullptr)
      add(report_.find(kTls12) != nullptr ? "A" : "C", "no-tls13",
          report_.find(kTls12) != nullptr ? "TLS 1.3 is not spoken" : "nothing newer than TLS 1.1 is spoken",
          "allow TLS 1.3");
  }

  void look_at_ciphers() {
    if (const auto none = ciphers_of(Strength::kNoneAtAll); !none.empty())
      add("F", "no-encryption", "ciphers that protect nothing: " + names_of(none),
          "allow AEAD ciphers with ECDHE alone");
    if (const auto weak = ciphers_of(Strength::kWeak); !weak.empty())
      add("C", "weak-cipher", "broken ciphers: " + names_of(weak), "allow AEAD ciphers with ECDHE alone");
    if (const auto fixed = ciphers_of(Strength::kStaticKey); !fixed.empty()) {
      const bool is_all = ciphers_of(Strength::kModern).empty() && ciphers_of(Strength::kOld).empty();
      add(is_all ? "B" : "A", "no-forward-secrecy", "ciphers without forward secrecy: " + names_of(fixed),
          "take out those without ECDHE");
    }
    if (const auto old = ciphers_of(Strength::kOld); !old.empty())
      add("", "cbc", "ciphers that are not authenticated encryption: " + names_of(old), "take out those with CBC");
    if (report_.dh_bits != 0 && report_.dh_bits < 2048)
      add(report_.dh_bits < 1024 ? "F" : "B", "weak-dh",
          fmt::format("a Diffie-Hellman prime of {} bits", report_.dh_bits),
          "take out DHE ciphers, or use a prime of 2048 bits");
    if (std::ranges::find(report_.groups, 0x0013) != report_.groups.end())
      add("B", "weak-group", "the curve P-192 is offered", "allow X25519, P-256 and P-384");
  }

  void look_at_old_ways() {
    if (report_.compression.value_or(false))
      add("F", "compression", "TLS compression gives away what is encrypted (CRIME)", "turn TLS compression off");
    if (!report_.renegotiation.value_or(true))
      add("C", "insecure-renegotiation", "renegotiation is not protected (RFC 5746)",
          "update the server's TLS library");
    if (!report_.fallback.value_or(true) && has_old())
      add("B", "no-fallback-protection", "clients can be talked into an older version (RFC 7507)",
          "update the server's TLS library, or turn old versions off");
    if (!report_.master_secret.value_or(true))
      add("", "no-extended-master-secret", "sessions of TLS 1.2 are not bound to their handshake (RFC 7627)",
          "update the server's TLS library");
  }
  bool has_old() const { return report_.protocols.back().version < kTls12; }

  void look_at_certificate() {
    for (const x509::Finding& each : report_.verdict.findings) {
      const bool is_error = each.severity == x509::Severity::kError;
      reasons_.push_back({is_error ? "F" : "", each.word, each.text, each.remedy});
    }
    if (report_.ocsp && report_.ocsp->status == "revoked")
      add("F", "revoked", "the certificate is revoked, says the answer that is stapled to it", "get a new one");
    if (report_.chain.empty()) add("F", "no-certificate", "it shows no certificate", "give the server one");
  }

  void look_at_rest() {
    if (report_.early_data)
      add("", "early-data", "early data is taken, which can be replayed (RFC 8446 8)",
          "turn it off, but for requests that may come twice");
    if (!report_.is_http) return;
    if (report_.hsts.empty())
      add("A", "no-hsts", "there is no Strict-Transport-Security", "add it: max-age=31536000");
    else if (max_age(report_.hsts) < kHstsMin)
      add("A", "short-hsts", "Strict-Transport-Security is for less than half a year", "max-age=31536000");
  }

  const Report& report_;
  std::vector<Reason> reasons_;
};

}  // namespace

Grade grade(const Report& report) { return Grader(report).run(); }

}  // namespace rproxy::scan
