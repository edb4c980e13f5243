#include "x509/verification.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "x509/facts.h"
#include "x509/path.h"
#include "x509/private_key.h"

namespace rproxy::x509 {
namespace {

// Apple refuses longer ones, whoever has issued them.
constexpr std::chrono::hours kLifetimeMax{825 * 24};

std::string date(WallTime time) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(std::chrono::floor<std::chrono::seconds>(time)));
}

std::string days_between(WallTime from, WallTime to) {
  const auto hours = std::chrono::duration_cast<std::chrono::hours>(to - from).count();
  return hours < 48 ? fmt::format("{} hours", hours) : fmt::format("{} days", hours / 24);
}

// What verifiers say by RFC 5280 that is not found by hand below.
struct Violation {
  int code;
  Severity severity;
  const char* word;
  const char* text;
  const char* remedy;
};
constexpr Violation kViolations[] = {
    {X509_V_ERR_PERMITTED_VIOLATION, Severity::kError, "name-constraints",
     "has a name that the name constraints of its authority do not permit", "have it issued by an authority that may"},
    {X509_V_ERR_EXCLUDED_VIOLATION, Severity::kError, "name-constraints",
     "has a name that the name constraints of its authority exclude", "have it issued by an authority that may"},
    {X509_V_ERR_INVALID_PURPOSE, Severity::kError, "wrong-purpose",
     "is not for that purpose (key usage, extended key usage)",
     "get one with serverAuth for servers, clientAuth for clients"},
    {X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, Severity::kError, "unknown-critical",
     "has a critical extension that clients don't know", "get one without it"},
};

bool is_strictness(int code) {
  return code >= X509_V_ERR_PATHLEN_INVALID_FOR_NON_CA && code <= X509_V_ERR_EXTENSIONS_REQUIRE_VERSION_3;
}

class Judge {
 public:
  explicit Judge(const ChainQuestion& question) : question_(question) {}

  ChainVerdict run() {
    const std::size_t leaf = find_leaf(question_.presented);
    path_ = find_path(question_.presented, leaf, question_.trusted);
    for (std::size_t i = 0; i < all().size(); ++i) look_at(i);
    look_at_leaf();
    look_at_order(leaf);
    look_at_end();
    ask_openssl();
    ERR_clear_error();
    std::ranges::stable_sort(found_, std::greater{}, &Finding::severity);
    return {std::move(found_), std::move(path_.certificates), path_.places.size(), path_.is_trusted};
  }

 private:
  const std::vector<Certificate>& all() const { return path_.certificates; }
  std::string name(std::size_t i) const { return name(all()[i]); }
  static std::string name(const Certificate& certificate) {
    const std::string subject = text_of(X509_get_subject_name(certificate.native()));
    return fmt::format("\"{}\"", subject.empty() ? certificate.label() : subject);
  }
  void add(Severity severity, const char* word, std::string text, std::string remedy) {
    found_.push_back({severity, word, std::move(text), std::move(remedy)});
  }

  // ---- Each for itself, and as the issuer of the one before it.

  void look_at(std::size_t i) {
    look_at_dates(i);
    EVP_PKEY* key = X509_get0_pubkey(all()[i].native());
    if (const std::string weak = weakness_of_key(key); !weak.empty())
      add(Severity::kError, "weak-key", fmt::format("{} has a weak key: {}", name(i), weak),
          "get one with a new key: ECDSA P-256, or RSA of 2048 bits");
    // Nobody reads the signature of a root.
    const bool is_root = i + 1 == all().size() && is_self_issued(all()[i]);
    if (const std::string weak = weakness_of_signature(all()[i]); !weak.empty() && !is_root)
      add(Severity::kError, "weak-signature", fmt::format("{} has a weak signature: {}", name(i), weak),
          "have it issued anew, signed with SHA-256 or better");
    if (i > 0) look_at_issuer(i);
  }

  void look_at_dates(std::size_t i) {
    const Certificate& each = all()[i];
    if (each.not_before() > question_.now) {
      add(Severity::kError, "not-yet-valid", fmt::format("{} is not valid before {}", name(i), date(each.not_before())),
          "wait, or set the clock of the machine that issued it");
    } else if (each.not_after() <= question_.now) {
      add(Severity::kError, "expired",
          fmt::format("{} expired at {}, {} ago", name(i), date(each.not_after()),
                      days_between(each.not_after(), question_.now)),
          i == 0 ? "renew it" : "renew it, or use another chain of the same authority");
    }
  }

  void look_at_issuer(std::size_t i) {
    const Certificate& issuer = all()[i];
    const std::string what = fmt::format("{}, which {} was issued by,", name(i), name(i - 1));
    if (!is_signed_by(all()[i - 1], issuer)) {
      add(Severity::kError, "bad-signature",
          fmt::format("{} is not signed by {}, which has the name of its issuer", name(i - 1), name(i)),
          "put the right certificate of that authority there: its key is another one");
      return;
    }
    // A root from before there were extensions may do without.
    const bool is_authority =
        X509_check_ca(issuer.native()) != 0 || (X509_get_extension_flags(issuer.native()) & EXFLAG_CA) != 0;
    if (!is_authority) {
      add(Severity::kError, "not-an-authority", what + " is no authority (basicConstraints)",
          "have it issued by an authority");
    } else if ((X509_get_key_usage(issuer.native()) & KU_KEY_CERT_SIGN) == 0) {
      add(Severity::kError, "not-an-authority", what + " may not sign (it has a key usage without keyCertSign)",
          "have it issued by an authority that may");
    }
    const long allowed = X509_get_pathlen(issuer.native());
    const auto between = std::count_if(all().begin() + 1, all().begin() + static_cast<std::ptrdiff_t>(i),
                                       [](const Certificate& each) { return !is_self_issued(each); });
    if (allowed >= 0 && between > allowed)
      add(Severity::kError, "path-too-long",
          fmt::format("{} allows {} authorities below it, and has {}", name(i), allowed, between),
          "have it issued by an authority that is higher up");
  }

  // ---- The leaf.

  void look_at_leaf() {
    const Certificate& leaf = all().front();
    const bool is_server = question_.purpose == ChainQuestion::Purpose::kServer;
    if (is_server && leaf.dns_names().empty() && leaf.ip_addresses().empty()) {
      add(Severity::kError, "no-names",
          fmt::format("{} has no host name in its subjectAltName, and clients read nothing else", name(0)),
          "get one with the names in the subjectAltName");
    } else {
      look_at_names(leaf);
    }
    if (X509_check_ca(leaf.native()) == 1 && question_.presented.size() == path_.places.size())
      add(Severity::kWarning, "authority-as-leaf", fmt::format("{} is an authority's, not a server's", name(0)),
          "let it issue one for the server: its key can make certificates for any name");
    if (leaf.not_after() - leaf.not_before() > kLifetimeMax + std::chrono::hours{1} &&
        X509_check_ca(leaf.native()) == 0)
      add(Severity::kWarning, "long-lived",
          fmt::format("{} is valid for {}: Apple's clients refuse more than 825", name(0),
                      days_between(leaf.not_before(), leaf.not_after())),
          "get one for a shorter time, and renew it by itself");
    look_at_key(leaf);
  }

  void look_at_names(const Certificate& leaf) {
    for (const std::string& wanted : question_.names) {
      const auto address = IpAddress::parse(wanted);
      const bool is_covered = address ? std::ranges::count(leaf.ip_addresses(), *address) > 0 : leaf.covers(wanted);
      if (is_covered) continue;
      std::string known;
      for (const auto& each : leaf.dns_names()) known += (known.empty() ? "" : ", ") + each;
      for (const auto& each : leaf.ip_addresses()) known += (known.empty() ? "" : ", ") + each.to_string();
      add(Severity::kError, "name-mismatch", fmt::format("it is not for {}, but for {}", wanted, known),
          "get one that has that name, too");
    }
  }

  void look_at_key(const Certificate& leaf) {
    if (question_.key == nullptr || is_same_key(X509_get0_pubkey(leaf.native()), question_.key)) return;
    for (const Certificate& each : question_.presented) {
      if (!is_same_key(X509_get0_pubkey(each.native()), question_.key)) continue;
      add(Severity::kError, "key-mismatch", fmt::format("the private key is that of {}", name(each)),
          "use the key that the server's certificate was made for");
      return;
    }
    add(Severity::kError, "key-mismatch", fmt::format("the private key does not belong to {}", name(0)),
        "use the key that the certificate was requested with");
  }

  // ---- All that is presented.

  void look_at_order(std::size_t leaf) {
    if (!std::ranges::is_sorted(path_.places) || leaf != 0) {
      std::string right;
      for (std::size_t i = 0; i < path_.places.size(); ++i) right += (i == 0 ? "" : ", then ") + name(i);
      add(Severity::kError, "wrong-order", "the certificates are not in the order in which each is issued by the next",
          "write " + right);
    }
    for (std::size_t i = 0; i < question_.presented.size(); ++i) {
      if (std::ranges::find(path_.places, i) != path_.places.end()) continue;
      const Certificate& extra = question_.presented[i];
      const bool is_twice = std::ranges::any_of(
          path_.places, [&](std::size_t place) { return is_same(question_.presented[place], extra); });
      if (is_twice)
        add(Severity::kWarning, "duplicate", fmt::format("{} is there twice", name(extra)), "leave one out");
      else
        add(Severity::kWarning, "unrelated", fmt::format("{} is not part of the chain", name(extra)), "leave it out");
    }
    const Certificate& last = question_.presented[path_.places.back()];
    if (path_.places.size() > 1 && is_self_issued(last))
      add(Severity::kNote, "root-included",
          fmt::format("{} is a root: clients have it, or do not trust it", name(last)),
          "leave it out: it costs bytes in each handshake");
  }

  // ---- Whom it leads to.

  void look_at_end() {
    if (path_.is_trusted || question_.trusted == nullptr) return;
    const Certificate& last = all().back();
    if (!is_self_issued(last)) {
      const CertificateFacts facts = facts_of(last);
      const std::string where = facts.issuers.empty() ? "" : fmt::format("; it is at {}", facts.issuers.front());
      add(Severity::kError, "missing-issuer",
          fmt::format("{} was issued by \"{}\", which is neither there nor trusted", name(last), facts.issuer),
          fmt::format("append the certificate of that authority{}, or trust it", where));
    } else if (all().size() == 1) {
      add(Severity::kError, "self-signed", fmt::format("{} is signed by its own key, and is not trusted", name(last)),
          "trust it, or get one from an authority");
    } else {
      add(Severity::kError, "untrusted-root", fmt::format("{}, where the chain ends, is not trusted", name(last)),
          "trust it, or use an authority that clients trust");
    }
  }

  // ---- What is left.

  using Errors = std::set<std::pair<int, int>>;  // depth and code
  static int note(int is_fine, X509_STORE_CTX* context) {
    if (is_fine == 1) return 1;
    auto* errors = static_cast<Errors*>(X509_STORE_CTX_get_app_data(context));
    errors->emplace(X509_STORE_CTX_get_error_depth(context), X509_STORE_CTX_get_error(context));
    return 1;
  }

  void ask_openssl() {
    const StorePtr store(X509_STORE_new());
    X509_STORE_add_cert(store.get(), all().back().native());
    const std::unique_ptr<STACK_OF(X509), void (*)(STACK_OF(X509)*)> rest(
        sk_X509_new_null(), [](STACK_OF(X509) * stack) { sk_X509_free(stack); });
    for (const Certificate& each : all()) sk_X509_push(rest.get(), each.native());
    const std::unique_ptr<X509_STORE_CTX, FreeBy<X509_STORE_CTX_free>> context(X509_STORE_CTX_new());
    if (!context || X509_STORE_CTX_init(context.get(), store.get(), all().front().native(), rest.get()) != 1) return;
    Errors errors;
    X509_STORE_CTX_set_app_data(context.get(), &errors);
    X509_STORE_CTX_set_verify_cb(context.get(), note);
    X509_VERIFY_PARAM* how = X509_STORE_CTX_get0_param(context.get());
    X509_VERIFY_PARAM_set_flags(how, X509_V_FLAG_X509_STRICT | X509_V_FLAG_PARTIAL_CHAIN);
    X509_VERIFY_PARAM_set_time(how, std::chrono::system_clock::to_time_t(question_.now));
    const bool is_server = question_.purpose == ChainQuestion::Purpose::kServer;
    X509_VERIFY_PARAM_set_purpose(how, is_server ? X509_PURPOSE_SSL_SERVER : X509_PURPOSE_SSL_CLIENT);
    X509_verify_cert(context.get());
    const bool has_impostor = std::ranges::find(found_, "not-an-authority", &Finding::word) != found_.end();
    // OpenSSL has no other word for it.
    if (has_impostor) std::erase_if(errors, [](const auto& each) { return each.second == X509_V_ERR_INVALID_PURPOSE; });
    for (const auto& [depth, code] : errors) report(static_cast<std::size_t>(std::max(depth, 0)), code);
  }

  void report(std::size_t depth, int code) {
    const std::string who = depth < all().size() ? name(depth) : "the chain";
    const auto* known = std::ranges::find(kViolations, code, &Violation::code);
    if (known != std::end(kViolations)) {
      add(known->severity, known->word, fmt::format("{} {}", who, known->text), known->remedy);
    } else if (is_strictness(code)) {
      // The system's roots are as they are.
      if (depth >= path_.places.size()) return;
      add(Severity::kWarning, "not-strict", fmt::format("{}: {}", who, lower(X509_verify_cert_error_string(code))),
          "strict clients refuse it (RFC 5280): have it issued anew");
    }
  }

  static std::string lower(std::string text) {
    if (!text.empty() && text.size() > 1 && text[1] >= 'a') text[0] = static_cast<char>(text[0] | 0x20);
    return text;
  }

  const ChainQuestion& question_;
  Path path_;
  std::vector<Finding> found_;
};

}  // namespace

bool ChainVerdict::is_fine() const {
  return std::ranges::none_of(findings, [](const Finding& each) { return each.severity == Severity::kError; });
}

ChainVerdict verify_chain(const ChainQuestion& question) { return Judge(question).run(); }

bool is_signed_by(const Certificate& certificate, const Certificate& issuer) {
  EVP_PKEY* key = X509_get0_pubkey(issuer.native());
  const bool is_right = key != nullptr && X509_verify(certificate.native(), key) == 1;
  ERR_clear_error();
  return is_right;
}

std::string weakness_of_key(const EVP_PKEY* key) {
  if (key == nullptr) return "it is of a kind that is not known here";
  const int type = EVP_PKEY_get_base_id(key);
  const int bits = EVP_PKEY_get_bits(key);
  const bool is_rsa = type == EVP_PKEY_RSA || type == EVP_PKEY_RSA_PSS;
  if ((is_rsa && bits < 2048) || (type == EVP_PKEY_EC && bits < 224) || type == EVP_PKEY_DSA) return describe_key(key);
  return {};
}

std::string weakness_of_signature(const Certificate& certificate) {
  int digest = NID_undef;
  int bits = 0;
  X509_get_signature_info(certificate.native(), &digest, nullptr, &bits, nullptr);
  ERR_clear_error();
  const bool is_weak = digest == NID_md2 || digest == NID_md4 || digest == NID_md5 || digest == NID_sha1;
  return is_weak ? signature_name(X509_get_signature_nid(certificate.native())) : "";
}

}  // namespace rproxy::x509
