// What an operator chooses about sockets, TLS and names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/units.h"
#include "net/peer.h"
#include "x509/name_rule.h"

namespace rproxy::net {

struct ListenOptions {
  HostPort address;
  int backlog = 4096;        // the kernel caps it at net.core.somaxconn
  bool defer_accept = true;  // TCP_DEFER_ACCEPT: wake only when the first bytes are there
  bool v6_only = false;
  unsigned unix_mode = 0660;  // permissions of a Unix socket
  bool operator==(const ListenOptions&) const = default;
};

// Peers that begin each connection with a PROXY header, which is required of them and believed.
struct ProxyPeers {
  std::vector<IpNetwork> networks;
  bool unix_sockets = false;
  bool operator==(const ProxyPeers&) const = default;

  bool contains(const Peer& peer) const;
};

enum class TlsVersion : std::uint8_t { kTls12, kTls13 };
constexpr std::string_view to_string(TlsVersion version) { return version == TlsVersion::kTls12 ? "1.2" : "1.3"; }

struct CertificateFiles {
  std::string cert;  // PEM: leaf first, then the chain
  std::string key;   // PEM
  bool operator==(const CertificateFiles&) const = default;
};

// Whom a listener asks for a certificate of their own, and who gets in with it.
struct ClientAuth {
  enum class Mode : std::uint8_t { kRequired, kOptional };
  Mode mode = Mode::kRequired;
  std::string ca_file;             // PEM: whose certificates are taken
  std::string crl_file;            // PEM; empty: nothing is revoked
  std::uint32_t verify_depth = 4;  // authorities between the certificate and one of ca_file
  x509::NameRules allow;           // empty: whoever the authorities vouch for
  bool operator==(const ClientAuth&) const = default;
};

struct TlsServerOptions {
  std::vector<CertificateFiles> certificates;  // names come from the certificates' SANs; the first is the default
  TlsVersion min_version = TlsVersion::kTls12;
  std::string ciphers;       // TLS 1.2 list, OpenSSL's syntax; empty: the modern default
  std::string ciphersuites;  // TLS 1.3
  std::string groups;        // empty: X25519MLKEM768 where OpenSSL has it, X25519:P-256:P-384
  bool session_tickets = true;
  bool ocsp_stapling = true;  // where a certificate names a responder
  bool early_data = false;    // TLS 1.3 0-RTT: requests may come before the handshake is complete, and be replayed
  bool strict_sni = false;    // refuse a name no certificate covers instead of serving the default
  std::optional<ClientAuth> client_auth;  // absent: nobody is asked
  bool operator==(const TlsServerOptions&) const = default;
};

struct TlsClientOptions {
  bool enabled = false;
  bool verify = true;
  std::string server_name;  // SNI and the name verified; empty: the endpoint's host
  std::string ca_file;      // PEM; empty: the system's store
  TlsVersion min_version = TlsVersion::kTls12;
  CertificateFiles own;  // shown where the server asks for one; empty: none
  bool operator==(const TlsClientOptions&) const = default;
};

// kAny: those that this machine has addresses of.
enum class AddressFamily : std::uint8_t { kAny, kIpv4, kIpv6 };

// How names become addresses.
struct ResolverOptions {
  std::vector<HostPort> servers;  // addresses with a port; empty: those of /etc/resolv.conf
  Duration timeout{2'000};        // of the first attempt at one server; doubles with each round over all of them
  std::uint32_t attempts = 3;     // at each server
  bool search = true;             // short names get the domains that /etc/resolv.conf lists
  std::string hosts_file = "/etc/hosts";
  bool every_family = false;      // kAny means both, whatever addresses this machine has
  std::size_t max_answers = 256;  // addresses, or services, taken from one answer
  bool operator==(const ResolverOptions&) const = default;
};

}  // namespace rproxy::net
