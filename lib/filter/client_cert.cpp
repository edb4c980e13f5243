#include "filter/client_cert.h"

#include "exchange/error_page.h"

namespace rproxy::filter {
namespace {

net::Task<Result<exchange::Response>> forbidden(exchange::Request& request) {
  request.trace.termination = "client_cert_refused";
  co_return exchange::error_response(request, 403);
}

}  // namespace

net::Task<Result<exchange::Response>> ClientCert::handle(exchange::Request& request) {
  const exchange::ClientCertificate* const shown = request.client->certificate;
  if (shown == nullptr || !x509::matches_any(rule_.allow, shown->names)) return forbidden(request);
  return next_->handle(request);
}

}  // namespace rproxy::filter
