#include "acme/options.h"

#include <algorithm>

#include "upstream/fetcher.h"

namespace rproxy::acme {

std::optional<std::string> parse_directory_url(std::string_view text) {
  const auto named = std::ranges::find(kDirectories, text, &NamedDirectory::word);
  if (named != kDirectories.end()) return std::string(named->url);
  const auto url = upstream::Url::parse(text);
  return url && url->is_https ? std::optional<std::string>(text) : std::nullopt;
}

std::string_view to_string(ChallengeType type) {
  switch (type) {
    case ChallengeType::kTlsAlpn01:
      return "tls-alpn-01";
    case ChallengeType::kHttp01:
      return "http-01";
    case ChallengeType::kDns01:
      break;
  }
  return "dns-01";
}

std::optional<ChallengeType> parse_challenge_type(std::string_view text) {
  for (const ChallengeType type : {ChallengeType::kTlsAlpn01, ChallengeType::kHttp01, ChallengeType::kDns01}) {
    if (to_string(type) == text) return type;
  }
  return std::nullopt;
}

}  // namespace rproxy::acme
