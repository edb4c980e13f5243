// What a server offers to whoever connects, as found out by asking.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "x509/certificate.h"
#include "x509/ocsp.h"
#include "x509/verification.h"

namespace rproxy::scan {

struct Protocol {
  std::uint16_t version = 0;
  std::vector<std::uint16_t> ciphers;  // in the order in which the server takes them
  bool prefers_own = false;            // it goes by its own order, not by the client's
};

struct Report {
  std::string address;  // "127.0.0.1:443"
  std::string server_name;
  std::vector<Protocol> protocols;    // the newest first
  std::vector<std::uint16_t> groups;  // of key exchange
  int dh_bits = 0;                    // the smallest prime seen; 0: none
  std::vector<std::string> alpn;      // of those asked for: h2, http/1.1
  std::optional<bool> compression;    // nothing: there is no version in which it could be
  std::optional<bool> renegotiation;  // secure (RFC 5746)
  std::optional<bool> master_secret;  // bound to the handshake (RFC 7627)
  std::optional<bool> fallback;       // it refuses TLS_FALLBACK_SCSV from who could do better
  struct Resumption {
    std::optional<bool> tls13;
    std::optional<bool> tls12_ticket;
    std::optional<bool> tls12_id;
  } resumption;
  bool early_data = false;
  std::uint32_t early_data_max = 0;
  bool is_http = false;
  std::string hsts;  // Strict-Transport-Security; empty: none
  std::vector<x509::Certificate> chain;
  x509::ChainVerdict verdict;  // of the chain
  std::optional<x509::OcspAnswer> ocsp;
  std::vector<std::string> problems;  // what could not be found out

  const Protocol* find(std::uint16_t version) const {
    for (const Protocol& each : protocols) {
      if (each.version == version) return &each;
    }
    return nullptr;
  }
};

// Why it is not better.
struct Reason {
  std::string grade;  // no better than that; empty: it costs none
  std::string word;   // stable
  std::string text;
  std::string remedy;
};
struct Grade {
  std::string letter;           // "A+", "A", "B", "C", "F"
  std::vector<Reason> reasons;  // the worst first
};
Grade grade(const Report& report);

}  // namespace rproxy::scan
