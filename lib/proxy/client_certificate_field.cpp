#include "proxy/client_certificate_field.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "http/base64.h"
#include "http/path.h"
#include "x509/issuing.h"

namespace rproxy::proxy {

using exchange::ClientCertificate;
using http::FieldId;
using Format = ClientCertificateField::Format;

namespace {

std::string base64_text(std::string_view bytes) {
  std::string out(http::base64_size(bytes.size()), '\0');
  http::write_base64(out.data(), bytes);
  return out;
}

std::string der_of(const x509::Certificate& certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate.native(), &der);
  std::string out(reinterpret_cast<const char*>(der), size > 0 ? static_cast<std::size_t>(size) : 0);
  OPENSSL_free(der);
  return out;
}

// RFC 3986 2.3: unreserved characters alone stay.
std::string in_percent(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                          c == '.' || c == '_' || c == '~';
    if (is_plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    // What no field may hold (RFC 9110 5.5), and what would need to be quoted twice.
    out += static_cast<unsigned char>(c) < ' ' || c == 0x7f ? '?' : c;
  }
  return out + '"';
}

std::string forwarded_client_cert(const ClientCertificate& client) {
  std::string out = fmt::format("Hash={};Subject={}", client.names.sha256, quoted(client.names.subject));
  for (std::string_view name : client.names.names) {
    for (const auto& [prefix, key] : {std::pair<std::string_view, const char*>{"URI:", "URI"}, {"DNS:", "DNS"}}) {
      if (name.starts_with(prefix)) out += fmt::format(";{}={}", key, quoted(name.substr(prefix.size())));
    }
  }
  return out;
}

// CGI-like servers read "Client_Cert" as "Client-Cert".
bool is_spelling_of(std::string_view spelt, std::string_view name) {
  if (spelt.size() != name.size()) return false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto plain = [](char c) { return c == '_' ? '-' : c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
    if (plain(spelt[i]) != plain(name[i])) return false;
  }
  return true;
}

}  // namespace

std::string client_certificate_text(const ClientCertificate& client, Format format) {
  switch (format) {
    case Format::kRfc9440:
      return ":" + base64_text(der_of(client.certificate)) + ":";
    case Format::kPem:
      return in_percent(x509::to_pem(client.certificate));
    case Format::kXfcc:
      return forwarded_client_cert(client);
  }
  return {};
}

void tell_client_certificate(exchange::Request& request, const ForwardingOptions& options) {
  if (!options.client_cert) return;
  const std::string& name = options.client_cert->name;
  // Servers may merge trailers into the head, where one of that name would be taken for ours.
  if (http::field_id(name) == FieldId::kOther) request.head.drops_trailers = true;
  request.head.fields.remove_if([&](const http::Field& field) {
    // A trusted proxy sets it, but lets other spellings through from its client.
    if (request.from_trusted_proxy)
      return is_spelling_of(field.name, name) && !http::equals_ignoring_case(field.name, name);
    const FieldId id = field.id != FieldId::kOther ? field.id : http::field_id_with_hyphens(field.name);
    return id == FieldId::kClientCert || id == FieldId::kClientCertChain || is_spelling_of(field.name, name);
  });
  const ClientCertificate* const client = request.client->certificate;
  if (client == nullptr || request.from_trusted_proxy) return;
  const Format format = options.client_cert->format;
  std::string& told = client->told.at(static_cast<std::size_t>(format));
  if (told.empty()) told = client_certificate_text(*client, format);
  request.head.fields.add(name, told);
}

}  // namespace rproxy::proxy
