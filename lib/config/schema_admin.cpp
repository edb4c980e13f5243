#include <fmt/format.h>

#include <algorithm>

#include "config/build.h"
#include "config/schema.h"
#include "config/text.h"

namespace rproxy::config {
namespace {

// Shorter ones are guessed.
constexpr std::size_t kTokenMin = 16;

// What RFC 6750 2.1 lets a bearer token be.
bool is_token(std::string_view text) {
  const auto is_valid = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~+/=").find(c) != std::string_view::npos;
  };
  return std::ranges::all_of(text, is_valid);
}

void decode_socket(Problems& problems, const Node& node, Admin& out) {
  if (!expect(problems, node, Node::Kind::kString)) return;
  if (node.text.empty() || node.text.starts_with("unix:")) {
    problems.error("RP1004", node.at, fmt::format("not a socket's path: {}", shown(node)),
                   "a path, such as \"/run/rproxy/admin.sock\"");
    return;
  }
  decode_file(problems, node, out.socket);
  // It is made beside where it will be, under a name that is longer.
  check_socket_path(problems, node, out.socket + ".new");
}

void decode_listen(Problems& problems, const Node& node, Admin& out) {
  HostPort address;
  if (!decode_listen_address(problems, node, address)) return;
  if (address.kind == HostPort::Kind::kUnix) {
    problems.error("RP1004", node.at, fmt::format("not a TCP address: {}", shown(node)),
                   "write socket = \"...\" for a Unix socket");
    return;
  }
  out.listen = address;
}

// What is wrong with it is told without its text.
void decode_token(Problems& problems, const Node& node, Admin& out) {
  if (!expect(problems, node, Node::Kind::kString)) return;
  out.token = node.text;
  if (node.text.size() >= kTokenMin && is_token(node.text)) return;
  problems.error("RP1004", node.at,
                 node.text.size() < kTokenMin ? fmt::format("a token of {} characters can be guessed", node.text.size())
                                              : "a token with characters that no bearer token has",
                 fmt::format("at least {} letters, digits and -._~+/=, as of openssl rand -hex 32", kTokenMin));
}

constexpr Key<Admin> kAdmin[] = {
    special<Admin>("socket", "path", "Unix socket, for its owner alone (0600)", decode_socket),
    special<Admin>("listen", "string", "TCP address; needs token", decode_listen),
    special<Admin>("token", "secret", "what \"Authorization: Bearer\" has to bring over TCP", decode_token),
    ranged<1, 1'000'000, &Admin::max_series>("max_series",
                                             "routes, and endpoints, that /metrics tells apart; the rest is summed"),
};

bool is_loopback(const HostPort& address) {
  static const IpNetwork kV4 = *IpNetwork::parse("127.0.0.0/8");
  static const IpNetwork kV6 = *IpNetwork::parse("::1/128");
  return kV4.contains(address.ip) || kV6.contains(address.ip);
}

void check_listen(const Node& table, const Node& listen, const Config& config, Problems& problems) {
  const Admin& admin = config.admin;
  if (lacks(table, "token", names_of(admin_keys()))) {
    problems.error("RP1005", listen.at, "the admin endpoint over TCP needs a token",
                   "token = \"${file:/etc/rproxy/admin.token}\", or only socket");
  }
  if (!admin.listen) return;
  if (!is_loopback(*admin.listen)) {
    problems.warning("RP1013", listen.at, "the admin endpoint's token crosses the network in the clear",
                     "listen on 127.0.0.1, and come by ssh or through a TLS listener that restricts who may");
  }
  net::ListenOptions options;
  options.address = *admin.listen;
  for (const Listener& other : config.listeners) {
    if (!do_overlap(options, other.listen)) continue;
    problems.error("RP1009", listen.at, fmt::format("{} is listened on already, by {}", shown(listen), other.name),
                   "give the admin endpoint a port of its own");
    return;
  }
}

}  // namespace

Keys<Admin> admin_keys() { return kAdmin; }

void build_admin(const Node& tree, Config& config, Problems& problems) {
  const Node* table = tree.find("admin");
  if (table == nullptr) return;
  const std::size_t before = problems.errors();
  decode_table<Admin>(problems, *table, "[admin]", kAdmin, config.admin);
  if (!table->is(Node::Kind::kTable) || !table->is_whole()) return;
  const Node* listen = table->find("listen");
  const auto known = names_of(admin_keys());
  if (problems.errors() == before && lacks(*table, "socket", known) && lacks(*table, "listen", known)) {
    problems.error("RP1005", table->at, "[admin] has nothing to listen on", "socket = \"/run/rproxy/admin.sock\"");
  }
  if (listen != nullptr) check_listen(*table, *listen, config, problems);
  const Node* socket = table->find("socket");
  for (const Listener& other : config.listeners) {
    if (socket == nullptr || other.listen.address.kind != HostPort::Kind::kUnix) continue;
    if (other.listen.address.host != config.admin.socket) continue;
    problems.error("RP1009", socket->at, fmt::format("{} is listened on already, by {}", shown(*socket), other.name),
                   "give the admin endpoint a socket of its own");
  }
}

}  // namespace rproxy::config
