#include <fmt/format.h>
#include <sys/un.h>

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "config/schema.h"

namespace rproxy::config {

bool decode_address(Problems& problems, const Node& node, const char* examples, HostPort& out) {
  if (!expect(problems, node, Node::Kind::kString)) return false;
  const auto parsed = HostPort::parse(node.text);
  if (!parsed) {
    const bool has_no_port = !is_secret(node) && HostPort::parse(node.text + ":80").has_value();
    problems.error(
        "RP1004", node.at, fmt::format("not an address: {}", shown(node)),
        has_no_port ? fmt::format("with its port: \"{}:80\"", node.text) : fmt::format("write {}", examples));
    return false;
  }
  out = *parsed;
  return parsed->kind != HostPort::Kind::kUnix || check_socket_path(problems, node, parsed->host);
}

bool check_socket_path(Problems& problems, const Node& node, const std::string& path) {
  constexpr std::size_t kPathMax = sizeof(sockaddr_un::sun_path) - 1;
  if (path.size() <= kPathMax) return true;
  problems.error("RP1004", node.at, fmt::format("a socket's path of {} bytes", path.size()),
                 fmt::format("at most {}: put the socket into a directory nearer to the root", kPathMax));
  return false;
}

bool decode_listen_address(Problems& problems, const Node& node, HostPort& out) {
  if (!decode_address(problems, node, "\"127.0.0.1:80\", \"[::1]:80\", \":80\" or \"unix:/run/app.sock\"", out))
    return false;
  if (out.kind != HostPort::Kind::kName) return true;
  problems.error("RP1004", node.at, fmt::format("a name can't be listened on: {}", shown(node)),
                 "write one of this machine's addresses, \"127.0.0.1:80\" or \"[::1]:80\", or \":80\" for all");
  return false;
}

namespace {

void add_addresses(Problems& problems, const Node& node, std::vector<const Node*>& out) {
  if (node.is(Node::Kind::kString)) {
    out.push_back(&node);
    return;
  }
  if (!expect(problems, node, Node::Kind::kArray, "an address or an array of addresses",
              "\":80\", \"127.0.0.1:80\", \"[::1]:80\" or \"unix:/run/app.sock\""))
    return;
  if (node.items.empty()) {
    problems.error("RP1005", node.at, "no address to listen on", "write an address, or delete the key");
  }
  for (const Node& item : node.items) {
    if (item.is_broken || expect(problems, item, Node::Kind::kString)) out.push_back(&item);
  }
}

constexpr Key<ListenDraft> kListen[] = {
    special<ListenDraft>("http", "addresses", "plain HTTP; redirects to https when https is set",
                         [](Problems& p, const Node& n, ListenDraft& o) { add_addresses(p, n, o.http); }),
    special<ListenDraft>("https", "addresses", "HTTP over TLS, with the certificates of [tls]",
                         [](Problems& p, const Node& n, ListenDraft& o) { add_addresses(p, n, o.https); }),
    out_of<ListenDraft>(
        kProtocols,
        special<ListenDraft>("protocols", "array of strings", "as in [[listeners]], for all of these",
                             [](Problems& p, const Node& n, ListenDraft& o) { decode_protocols(p, n, o.protocols); })),
};

void decode_mode(Problems& problems, const Node& node, ListenerDraft& out) {
  if (!expect(problems, node, Node::Kind::kString, "a string such as \"0660\"")) return;
  unsigned mode = 0;
  bool valid = !node.text.empty() && node.text.size() <= 4;
  for (const char c : node.text) {
    valid = valid && c >= '0' && c <= '7';
    mode = mode * 8 + static_cast<unsigned>(c - '0');
  }
  if (valid) {
    out.listener.listen.unix_mode = mode;
  } else {
    problems.error("RP1004", node.at, fmt::format("not a file mode: {}", shown(node)), "write octal digits: \"0660\"");
  }
}

void decode_listener_tls(Problems& problems, const Node& node, ListenerDraft& out) {
  if (node.is(Node::Kind::kBool)) {
    out.uses_shared_tls = node.flag;
    return;
  }
  decode_tls(problems, node, "tls", out.listener.tls.emplace());
}

void add_proxy_peer(Problems& problems, const Node& node, net::ProxyPeers& out) {
  constexpr std::string_view kUnix = "unix:";
  if (!node.is(Node::Kind::kString) || !node.text.starts_with(kUnix)) {
    std::vector<IpNetwork> networks;
    decode_value(problems, node, networks);
    out.networks.insert(out.networks.end(), networks.begin(), networks.end());
  } else if (node.text == kUnix) {
    out.unix_sockets = true;
  } else {
    problems.error("RP1004", node.at, fmt::format("the peers of a Unix socket have no path: {}", shown(node)),
                   "write \"unix:\" for all of them");
  }
}

void decode_proxy_peers(Problems& problems, const Node& node, ListenerDraft& out) {
  net::ProxyPeers& peers = out.listener.proxy_protocol;
  if (node.is(Node::Kind::kString)) return add_proxy_peer(problems, node, peers);
  if (!expect(problems, node, Node::Kind::kArray, "an array of the peers that send a PROXY header",
              "[\"10.0.0.0/8\", \"::1\"], or [\"0.0.0.0/0\", \"::/0\"] for whoever connects")) {
    return;
  }
  if (node.items.empty()) {
    problems.error("RP1005", node.at, "no peer that sends a PROXY header",
                   "write its address or network, such as \"10.0.0.0/8\", or delete the key");
  }
  for (const Node& item : node.items) {
    const bool is_text = item.is_broken || expect(problems, item, Node::Kind::kString, "a peer",
                                                  "write its address or network, or \"unix:\"");
    if (is_text && !item.is_broken) add_proxy_peer(problems, item, peers);
  }
}

using L = ListenerDraft;
constexpr Key<L> kListener[] = {
    key<&L::listener, &Listener::name>("name", "for logs"),
    special<L>("address", "address", "\":80\", \"127.0.0.1:80\", \"[::1]:80\", \"unix:/run/x.sock\"",
               [](Problems& p, const Node& n, L& o) {
                 o.has_address = decode_listen_address(p, n, o.listener.listen.address);
               }),
    ranged<1, std::numeric_limits<int>::max(), &L::listener, &Listener::listen, &net::ListenOptions::backlog>(
        "backlog", "connections waiting to be accepted"),
    key<&L::listener, &Listener::listen, &net::ListenOptions::defer_accept>("defer_accept",
                                                                            "wake only when the first bytes are there"),
    key<&L::listener, &Listener::listen, &net::ListenOptions::v6_only>("v6_only", "[::] takes no IPv4 connections"),
    {"unix_mode", "string", "permissions of a Unix socket", decode_mode,
     [](const L& o) { return fmt::format("\"{:04o}\"", o.listener.listen.unix_mode); }},
    special<L>("tls", "boolean or table", "true: as [tls]; or a table of its own with the keys of [tls]",
               decode_listener_tls),
    special<L>("proxy_protocol", "strings",
               "peers that begin with a PROXY header, v1 or v2: addresses, networks, \"unix:\"", decode_proxy_peers),
    out_of<L>(kProtocols,
              {"protocols", "array of strings", "what clients may speak, the preferred first: h2 and http/1.1",
               [](Problems& p, const Node& n, L& o) { decode_protocols(p, n, o.listener.protocols); },
               [](const L& o) { return render_value(o.listener.protocols); }}),
    key<&L::listener, &Listener::redirect_https>("redirect_https", "answer everything with a redirect to https"),
    ranged<1, 65535, &L::listener, &Listener::redirect_port>("redirect_port", "the port that redirect names"),
};

constexpr Key<net::CertificateFiles> kCertificate[] = {
    special<net::CertificateFiles>(
        "cert", "path", "PEM: leaf, then its chain",
        [](Problems& p, const Node& n, net::CertificateFiles& o) { decode_file(p, n, o.cert); }),
    special<net::CertificateFiles>(
        "key", "path", "PEM: the private key",
        [](Problems& p, const Node& n, net::CertificateFiles& o) { decode_file(p, n, o.key); }),
};

}  // namespace

void check_pair(Problems& problems, const Node& table, const std::vector<std::string>& known) {
  if (!table.is(Node::Kind::kTable)) return;
  for (const auto& [name, remedy] : {std::pair{"cert", "cert = \"site.pem\""}, {"key", "key = \"site.key\""}}) {
    const Node* node = table.find(name);
    if (lacks(table, name, known)) {
      problems.error("RP1005", table.at, fmt::format("a certificate needs {}", name), remedy);
    } else if (node != nullptr && node->is(Node::Kind::kString) && node->text.empty() && !node->is_broken) {
      problems.error("RP1005", node->at, fmt::format("{} is empty", name), remedy);
    }
  }
}

namespace {

void decode_certificates(Problems& problems, const Node& node, TlsDraft& out) {
  if (!expect(problems, node, Node::Kind::kArray, "an array of { cert, key }")) return;
  for (const Node& item : node.items) {
    net::CertificateFiles pair;
    decode_table<net::CertificateFiles>(problems, item, "certificates", kCertificate, pair);
    check_pair(problems, item, names_of(Keys<net::CertificateFiles>(kCertificate)));
    out.options.certificates.push_back(std::move(pair));
  }
}

using T = TlsDraft;
constexpr Key<T> kTls[] = {
    special<T>("cert", "path", "PEM: leaf, then its chain",
               [](Problems& p, const Node& n, T& o) { decode_file(p, n, o.single.cert); }),
    special<T>("key", "path", "PEM: the private key",
               [](Problems& p, const Node& n, T& o) { decode_file(p, n, o.single.key); }),
    special<T>("certificates", "array of { cert, key }",
               "several; chosen by the name asked for, the first is the default", decode_certificates),
    special<T>("acme", "table", "certificates for the hosts of the routes, had from an ACME server; in [tls] alone",
               [](Problems& p, const Node& n, T& o) {
                 o.acme_at = &n;
                 decode_acme(p, n, o.acme);
               }),
    one_of<kTlsVersions, &T::options, &net::TlsServerOptions::min_version>("min_version", "\"1.2\" or \"1.3\""),
    key<&T::options, &net::TlsServerOptions::ciphers>("ciphers",
                                                      "TLS 1.2 cipher list, OpenSSL's syntax; empty: modern ones"),
    key<&T::options, &net::TlsServerOptions::ciphersuites>("ciphersuites", "TLS 1.3 suites; empty: OpenSSL's"),
    key<&T::options, &net::TlsServerOptions::groups>(
        "groups", "key exchange groups; empty: X25519MLKEM768 where OpenSSL has it, X25519:P-256:P-384"),
    key<&T::options, &net::TlsServerOptions::session_tickets>("session_tickets",
                                                              "resume sessions by tickets whose keys rotate"),
    key<&T::options, &net::TlsServerOptions::strict_sni>("strict_sni", "refuse names that no certificate covers"),
    key<&T::options, &net::TlsServerOptions::ocsp_stapling>(
        "ocsp_stapling", "show what the authority says of a certificate that names a responder"),
    key<&T::options, &net::TlsServerOptions::early_data>(
        "early_data",
        "TLS 1.3 0-RTT: take GET and the like before the handshake ends, which others may replay; told in Early-Data"),
    special<T>("client_auth", "table", "clients show a certificate of their own: mode, ca_file, crl_file, allow",
               [](Problems& p, const Node& n, T& o) { decode_client_auth(p, n, o.options.client_auth); }),
};

}  // namespace

void decode_tls(Problems& problems, const Node& node, const std::string& name, net::TlsServerOptions& out,
                acme::Options* acme) {
  TlsDraft draft;
  const std::vector<std::string> known = names_of(Keys<TlsDraft>(kTls));
  decode_table<TlsDraft>(problems, node, name, kTls, draft);
  if (!node.is(Node::Kind::kTable)) return;
  const Node* list = node.find("certificates");
  const bool has_single = !lacks(node, "cert", known) || !lacks(node, "key", known);
  if (has_single && list != nullptr) {
    problems.error("RP1006", list->at, name + " has both cert/key and certificates", "keep one of the two forms");
  } else if (has_single) {
    check_pair(problems, node, known);
    draft.options.certificates.push_back(std::move(draft.single));
  } else if (lacks(node, "acme", known) && (lacks(node, "certificates", known) ||
                                            (list != nullptr && list->is(Node::Kind::kArray) && list->items.empty()))) {
    problems.error("RP1301", list != nullptr ? list->at : node.at, name + " has no certificate",
                   "cert = \"site.pem\" and key = \"site.key\", or [tls.acme] to have them made");
  }
  if (draft.options.early_data && draft.options.client_auth) {
    problems.error("RP1006", node.find("early_data")->at, "early data of who has shown a certificate could be replayed",
                   "keep one of early_data and client_auth");
  }
  if (draft.acme_at != nullptr && acme == nullptr) {
    problems.error("RP1006", draft.acme_at->at, "a listener's own tls has no acme",
                   "write [tls.acme], and tls = true for the listener");
  }
  if (acme != nullptr) *acme = std::move(draft.acme);
  out = std::move(draft.options);
}

Keys<ListenDraft> listen_keys() { return kListen; }
Keys<ListenerDraft> listener_keys() { return kListener; }
Keys<TlsDraft> tls_keys() { return kTls; }
Keys<net::CertificateFiles> certificate_keys() { return kCertificate; }

}  // namespace rproxy::config
