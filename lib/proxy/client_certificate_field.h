// A client's certificate as a request field, for upstreams that want to know whom the proxy has let in.
#pragma once

#include "exchange/exchange.h"
#include "proxy/options.h"

namespace rproxy::proxy {

// Takes away what the client says of itself in such fields, however spelt, and puts in what is so. What a trusted proxy says stays, with nothing
// of ours: the certificate is its own. Does nothing where `options` send none.
void tell_client_certificate(exchange::Request& request, const ForwardingOptions& options);

// The field's value, as `format` has it: RFC 9440 2.2 (a byte sequence of the DER), PEM with what URLs can't have in percent (nginx's
// $ssl_client_escaped_cert), or Envoy's X-Forwarded-Client-Cert (Hash, Subject, URI, DNS).
std::string client_certificate_text(const exchange::ClientCertificate& client, ClientCertificateField::Format format);

}  // namespace rproxy::proxy
