#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "net/proxy_protocol.h"
#include "net/proxy_protocol_wire.h"

namespace rproxy::net {
namespace {

using namespace proxy_wire;

// RFC 1035 2.3.4. Longer texts are no host names, and no names of ciphers either.
constexpr std::size_t kTextMax = 255;

void append_number(std::string& out, std::size_t number) {
  out += static_cast<char>(number >> 8);
  out += static_cast<char>(number);
}

void append_tlv(std::string& out, unsigned type, std::string_view value) {
  if (value.empty() || value.size() > kTextMax) return;
  out += static_cast<char>(type);
  append_number(out, value.size());
  out += value;
}

std::string tls_value(const ProxyHeader::Tls& tls) {
  std::string out;
  const bool has_certificate = tls.is_verified || !tls.client_name.empty();
  out += static_cast<char>(kClientTls | (has_certificate ? kClientCertConnection : 0));
  out.append(3, '\0');
  out += tls.is_verified ? '\0' : '\1';
  append_tlv(out, kTlsVersion, tls.version);
  append_tlv(out, kTlsCipher, tls.cipher);
  append_tlv(out, kTlsClientName, tls.client_name);
  return out;
}

void append_tls(std::string& out, const ProxyHeader::Tls& tls) {
  const std::string value = tls_value(tls);
  out += static_cast<char>(kTls);
  append_number(out, value.size());
  out += value;
}

void append_ip(std::string& out, const IpAddress& ip, std::size_t size) {
  out.append(reinterpret_cast<const char*>(ip.bytes.data()) + ip.bytes.size() - size, size);
}

bool is_all_v4(const ProxyHeader& header) { return header.source.ip.is_v4() && header.destination.ip.is_v4(); }

std::string write_line(const ProxyHeader& header, bool has_ips) {
  if (!has_ips) return fmt::format("{}{}\r\n", kLinePrefix, kUnknown);
  const bool v4 = is_all_v4(header);
  const auto text = [v4](const IpAddress& ip) { return (!v4 && ip.is_v4() ? "::ffff:" : "") + ip.to_string(); };
  return fmt::format("{}{} {} {} {} {}\r\n", kLinePrefix, v4 ? "TCP4" : "TCP6", text(header.source.ip),
                     text(header.destination.ip), header.source.port, header.destination.port);
}

std::string write_binary(const ProxyHeader& header, bool has_ips) {
  std::string block;
  const bool v4 = is_all_v4(header);
  if (has_ips) {
    const std::size_t size = v4 ? kIpv4Size : kIpv6Size;
    append_ip(block, header.source.ip, size);
    append_ip(block, header.destination.ip, size);
    append_number(block, header.source.port);
    append_number(block, header.destination.port);
    append_tlv(block, kAlpn, header.alpn);
    append_tlv(block, kAuthority, header.authority);
    if (header.unique_id.size() <= kUniqueIdMax) append_tlv(block, kUniqueId, header.unique_id);
    if (header.tls.used) append_tls(block, header.tls);
  }
  std::string out(kSignature);
  out += static_cast<char>(has_ips ? kProxy : kLocal);
  out += static_cast<char>(!has_ips ? 0 : (v4 ? kIpv4 : kIpv6) << 4 | kStream);
  append_number(out, block.size());
  return out + block;
}

}  // namespace

std::string write_proxy_header(const ProxyHeader& header) {
  const bool has_ips = header.has_addresses && !header.source.is_unix && !header.destination.is_unix;
  return header.version == 1 ? write_line(header, has_ips) : write_binary(header, has_ips);
}

}  // namespace rproxy::net
