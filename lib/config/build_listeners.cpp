#include <fmt/format.h>

#include <optional>
#include <utility>

#include "config/build.h"
#include "config/schema.h"

namespace rproxy::config {
namespace {

using net::ListenOptions;

// What of each family a listener takes: nothing, one address or any.
struct Cover {
  std::optional<IpAddress> v4, v6;
};

const IpAddress kAnyV4 = *IpAddress::parse("0.0.0.0");
const IpAddress kAnyV6{};

Cover cover_of(const ListenOptions& listen) {
  const HostPort& address = listen.address;
  if (address.kind == HostPort::Kind::kIp && address.ip.is_v4()) return {address.ip, std::nullopt};
  if (address.kind == HostPort::Kind::kIp && address.ip != kAnyV6) return {std::nullopt, address.ip};
  // The socket of ":80" and "[::]:80" takes IPv4, too.
  return {listen.v6_only ? std::nullopt : std::optional(kAnyV4), kAnyV6};
}

bool do_meet(const std::optional<IpAddress>& a, const std::optional<IpAddress>& b, const IpAddress& any) {
  return a && b && (*a == *b || *a == any || *b == any);
}

}  // namespace

bool do_overlap(const ListenOptions& a, const ListenOptions& b) {
  const bool is_unix = a.address.kind == HostPort::Kind::kUnix;
  if (is_unix || b.address.kind == HostPort::Kind::kUnix) return a.address == b.address;
  if (a.address.port != b.address.port || a.address.port == 0) return false;
  const Cover x = cover_of(a);
  const Cover y = cover_of(b);
  return do_meet(x.v4, y.v4, kAnyV4) || do_meet(x.v6, y.v6, kAnyV6);
}

namespace {

// Whether v6_only on one of the two would keep them apart.
bool is_separable(const ListenOptions& a, const ListenOptions& b) {
  ListenOptions x = a;
  ListenOptions y = b;
  x.v6_only = y.v6_only = true;
  return !do_overlap(x, y);
}

class ListenerBuilder {
 public:
  ListenerBuilder(const Node& tree, Config& config, Problems& problems)
      : tree_(tree), config_(config), problems_(problems) {}

  void build() {
    const std::size_t before = problems_.errors();
    if (const Node* tls = tree_.find("tls")) {
      net::TlsServerOptions options;
      decode_tls(problems_, *tls, "[tls]", options, &config_.acme);
      shared_tls_ = std::move(options);
      check_on_demand(*tls);
    }
    build_short();
    if (const Node* list = tree_.find("listeners")) build_long(*list);
    if (lacks(tree_, "listen", top_level_keys()) && lacks(tree_, "listeners", top_level_keys()) &&
        !problems_.is_incomplete()) {
      problems_.error("RP1005", Place{tree_.at.file, 0, 0}, "nothing to listen on",
                      "add [listen] with http = \":80\" or https = \":443\"");
    }
    check_double_addresses();
    const bool is_sound = problems_.errors() == before && tree_.is_whole() && !problems_.is_incomplete();
    if (tree_.find("tls") != nullptr && !shared_tls_used_ && is_sound)
      problems_.warning("RP1303", tree_.find("tls")->at, "[tls] is used by no listener", "add https to [listen]");
  }

 private:
  void check_on_demand(const Node& tls) {
    const auto& on_demand = config_.acme.on_demand;
    const Duration limit = config_.client.handshake_timeout;
    if (!on_demand || limit.count() == 0 || on_demand->wait < limit) return;
    const Node* node = tls.find("acme")->find("on_demand");
    if (const Node* wait = node->find("wait")) node = wait;
    problems_.error("RP1006", node->at, "a handshake ends before the certificate is waited for",
                    fmt::format("a shorter wait, or a longer client.handshake_timeout; it is {}", to_string(limit)));
  }

  // [listen].
  void build_short() {
    ListenDraft draft;
    build_section<ListenDraft>(tree_, "listen", listen_keys(), draft, problems_);
    std::uint16_t https_port = 443;
    for (const Node* node : draft.https) {
      Listener listener = short_listener(draft);
      if (!decode_listen_address(problems_, *node, listener.listen.address)) continue;
      if (node == draft.https.front()) https_port = listener.listen.address.port;
      add_shared_tls(listener, node->at);
      add(std::move(listener), *node);
    }
    for (const Node* node : draft.http) {
      Listener listener = short_listener(draft);
      if (!decode_listen_address(problems_, *node, listener.listen.address)) continue;
      listener.redirect_https = !draft.https.empty();
      listener.redirect_port = https_port;
      add(std::move(listener), *node);
    }
    const Node* section = tree_.find("listen");
    if (section != nullptr && section->is(Node::Kind::kTable) && section->members.empty())
      problems_.error("RP1005", section->at, "[listen] is empty", "add http = \":80\" or https = \":443\"");
  }

  static Listener short_listener(const ListenDraft& draft) {
    Listener listener;
    if (!draft.protocols.empty()) listener.protocols = draft.protocols;
    return listener;
  }

  // [[listeners]].
  void build_long(const Node& list) {
    if (!expect(problems_, list, Node::Kind::kArray, "[[listeners]], an array of tables,", "write [[listeners]]"))
      return;
    if (list.items.empty())
      problems_.error("RP1005", list.at, "listeners is empty",
                      "add [[listeners]] with address = \":80\", or delete it");
    for (const Node& node : list.items) build_listener(node);
  }

  void build_listener(const Node& node) {
    ListenerDraft draft;
    decode_table<ListenerDraft>(problems_, node, "[[listeners]]", listener_keys(), draft);
    if (!node.is(Node::Kind::kTable)) return;
    if (lacks(node, "address", names_of(listener_keys())))
      problems_.error("RP1005", node.at, "a listener needs address", "address = \":80\"");
    if (draft.uses_shared_tls) add_shared_tls(draft.listener, node.find("tls")->at);
    if (draft.listener.redirect_https && draft.listener.tls) {
      problems_.error("RP1006", node.find("redirect_https")->at,
                      "a TLS listener that redirects to https would redirect for ever",
                      "delete redirect_https here; it is for the plain listener");
    }
    check_proxy_peers(node, draft);
    const Node* address = node.find("address");
    if (draft.has_address && address != nullptr) add(std::move(draft.listener), *address);
  }

  // Peers that can't come this way.
  void check_proxy_peers(const Node& node, const ListenerDraft& draft) {
    const Node* key = node.find("proxy_protocol");
    const net::ProxyPeers& peers = draft.listener.proxy_protocol;
    if (key == nullptr || !draft.has_address || !key->is_whole()) return;
    const bool is_unix = draft.listener.listen.address.kind == HostPort::Kind::kUnix;
    if (is_unix && !peers.networks.empty()) {
      problems_.warning("RP1010", key->at, "the peers of a Unix socket have no address",
                        "write \"unix:\" for all of them");
    } else if (!is_unix && peers.unix_sockets) {
      problems_.warning("RP1010", key->at, "no peer of this listener comes over a Unix socket", "delete \"unix:\"");
    }
  }

  void add_shared_tls(Listener& listener, const Place& at) {
    shared_tls_used_ = true;
    if (shared_tls_) {
      listener.tls = *shared_tls_;
      listener.has_acme = config_.acme.enabled;
    } else if (lacks(tree_, "tls", top_level_keys()) && !problems_.is_incomplete()) {
      problems_.error("RP1301", at, "https needs a certificate",
                      "add [tls] with cert = \"site.pem\" and key = \"site.key\", or [tls.acme] to have them made");
    }
  }

  void add(Listener listener, const Node& address) {
    if (listener.name.empty()) listener.name = listener.listen.address.to_string();
    config_.listeners.push_back(std::move(listener));
    addresses_.push_back(&address);
  }

  void check_double_addresses() {
    for (std::size_t i = 0; i < config_.listeners.size(); ++i) {
      const ListenOptions& listen = config_.listeners[i].listen;
      for (std::size_t k = 0; k < i; ++k) {
        const ListenOptions& other = config_.listeners[k].listen;
        if (!do_overlap(listen, other)) continue;
        const Place& at = addresses_[i]->at;
        problems_.error(
            "RP1009", at,
            fmt::format("{} is listened on already, at {}", shown(*addresses_[i]), line_of(addresses_[k]->at, at)),
            is_separable(listen, other) ? "a listener on all addresses takes IPv4 and IPv6: keep one of the two, or "
                                          "give it v6_only = true in [[listeners]]"
                                        : "keep one of the two, or change a port");
        break;
      }
    }
  }

  const Node& tree_;
  Config& config_;
  Problems& problems_;
  std::optional<net::TlsServerOptions> shared_tls_;
  bool shared_tls_used_ = false;
  std::vector<const Node*> addresses_;  // of config_.listeners
};

}  // namespace

void build_listeners(const Node& tree, Config& config, Problems& problems) {
  ListenerBuilder(tree, config, problems).build();
}

}  // namespace rproxy::config
