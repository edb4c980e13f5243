#include <nlohmann/json.hpp>
#include <utility>

#include "cli/cert_view.h"

namespace rproxy::cli {

CertJson certificate_json(const x509::CertificateFacts& facts) {
  CertJson json;
  json["subject"] = facts.subject;
  json["issuer"] = facts.issuer;
  json["self_issued"] = facts.is_self_issued;
  json["serial"] = facts.serial;
  json["version"] = facts.version;
  json["names"] = facts.names;
  json["not_before"] = json_time(facts.not_before);
  json["not_after"] = json_time(facts.not_after);
  json["key"] = facts.key;
  json["key_bits"] = facts.key_bits;
  json["key_pin_sha256"] = facts.key_pin;
  json["signature"] = facts.signature;
  json["sha256"] = facts.sha256;
  json["sha1"] = facts.sha1;
  json["authority"] = facts.is_authority;
  json["path_length"] = facts.path_length ? CertJson(*facts.path_length) : CertJson();
  json["key_usage"] = facts.key_usage;
  json["extended_key_usage"] = facts.purposes;
  json["permitted"] = facts.permitted;
  json["excluded"] = facts.excluded;
  json["unknown_critical"] = facts.unknown_critical;
  json["subject_key_id"] = facts.subject_key_id;
  json["authority_key_id"] = facts.authority_key_id;
  json["ocsp"] = facts.ocsp;
  json["ca_issuers"] = facts.issuers;
  json["crl"] = facts.revocation_lists;
  json["policies"] = facts.policies;
  json["must_staple"] = facts.must_staple;
  json["scts"] = CertJson::array();
  for (const auto& each : facts.timestamps) json["scts"].push_back({{"log", each.log}, {"time", json_time(each.time)}});
  return json;
}

CertJson request_json(const x509::Request& request) {
  CertJson json;
  json["subject"] = x509::text_of(X509_REQ_get_subject_name(request.native()));
  json["names"] = CertJson::array();
  if (const auto names = request.names()) {
    for (const auto& each : *names) json["names"].push_back(x509::to_string(each));
  }
  json["key"] = x509::describe_key(request.public_key());
  json["key_pin_sha256"] = x509::key_pin(request.public_key());
  json["signature"] = x509::signature_name(X509_REQ_get_signature_nid(request.native()));
  json["other_extensions"] = request.other_extensions();
  return json;
}

CertJson revocation_list_json(X509_CRL* list) {
  constexpr std::size_t kAll = 1'000'000;
  const x509::RevocationListFacts facts = x509::facts_of(list, kAll);
  CertJson json;
  json["issuer"] = facts.issuer;
  json["this_update"] = json_time(facts.updated);
  json["next_update"] = facts.next ? CertJson(json_time(*facts.next)) : CertJson();
  json["number"] = facts.number.empty() ? CertJson() : CertJson(facts.number);
  json["signature"] = facts.signature;
  json["count"] = facts.count;
  json["revoked"] = CertJson::array();
  for (const auto& each : facts.entries)
    json["revoked"].push_back({{"serial", each.serial}, {"time", json_time(each.time)}});
  return json;
}

CertJson key_json(EVP_PKEY* key) {
  return {
      {"key", x509::describe_key(key)}, {"key_bits", EVP_PKEY_get_bits(key)}, {"key_pin_sha256", x509::key_pin(key)}};
}

CertJson findings_json(const std::vector<x509::Finding>& findings) {
  static constexpr const char* kWords[] = {"note", "warning", "error"};
  CertJson json = CertJson::array();
  for (const x509::Finding& each : findings)
    json.push_back({{"severity", kWords[static_cast<std::size_t>(each.severity)]},
                    {"word", each.word},
                    {"text", each.text},
                    {"remedy", each.remedy}});
  return json;
}

// In ASCII, so that nothing turns around on a terminal, either.
std::string dump(const CertJson& json) { return json.dump(2, ' ', true, CertJson::error_handler_t::replace) + "\n"; }

}  // namespace rproxy::cli
