// How certificates are had from an ACME server.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "acme/client.h"
#include "base/units.h"
#include "x509/private_key.h"

namespace rproxy::acme {

enum class ChallengeType : std::uint8_t { kTlsAlpn01, kHttp01, kDns01 };
std::string_view to_string(ChallengeType type);  // "tls-alpn-01"

inline constexpr std::string_view kLetsEncrypt = "https://acme-v02.api.letsencrypt.org/directory";
inline constexpr std::string_view kLetsEncryptStaging = "https://acme-staging-v02.api.letsencrypt.org/directory";

// Directories by the words that are written for them.
struct NamedDirectory {
  std::string_view word;
  std::string_view url;
};
inline constexpr std::array kDirectories{
    NamedDirectory{"letsencrypt", kLetsEncrypt},
    NamedDirectory{"letsencrypt-staging", kLetsEncryptStaging},
    NamedDirectory{"zerossl", "https://acme.zerossl.com/v2/DV90"},
    NamedDirectory{"google", "https://dv.acme-v02.api.pki.goog/directory"},
    NamedDirectory{"google-staging", "https://dv.acme-v02.test-api.pki.goog/directory"},
};
// The URL, of a word or of what is one; nothing: it is neither.
std::optional<std::string> parse_directory_url(std::string_view text);
// The challenge of that name; nothing: it is none.
std::optional<ChallengeType> parse_challenge_type(std::string_view text);

// Certificates for names that no route has, when a client first asks for one.
struct OnDemandOptions {
  std::vector<std::string>
      hosts;             // that it is done for: "shop.com", "*.shop.com" for all below it; empty: `ask` alone says
  std::string ask;       // a URL that answers 200 to ?domain=NAME where it is to be done; empty: nobody is asked
  Duration wait{8'000};  // that a handshake waits for a certificate
  std::uint32_t names_max = 1000;
  bool operator==(const OnDemandOptions&) const = default;
};

struct Options {
  bool enabled = false;
  std::vector<std::string> email;
  std::string directory{kLetsEncrypt};
  std::vector<ChallengeType> challenges{ChallengeType::kTlsAlpn01, ChallengeType::kHttp01};  // the preferred first
  x509::KeyType key_type = x509::KeyType::kEcP256;
  std::optional<ExternalAccount> external_account;
  std::string profile;             // of those the directory names; empty: the server's usual one
  std::vector<std::string> names;  // beside those of the routes
  std::string storage = "/var/lib/rproxy/acme";
  std::string ca_file;              // whom the directory's certificate is held against; empty: the system's authorities
  Duration retry{300'000};          // after a failure; twice as long each time
  std::uint32_t renew_percent = 0;  // of a certificate's life; 0: two thirds, of less than ten days half
  std::vector<std::string> dns_hook;  // a program and its arguments
  Duration dns_propagation{30'000};   // from the hook's end until the record can be seen
  Duration dns_hook_timeout{120'000};
  std::optional<OnDemandOptions> on_demand;
  bool operator==(const Options&) const = default;
};

}  // namespace rproxy::acme
