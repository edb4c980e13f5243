// Certificates: what is shown and until when, and one made anew.
#include <fmt/format.h>

#include "admin/actions.h"
#include "admin/members.h"
#include "admin/views.h"

namespace rproxy::admin {
namespace {

Json time_or_null(const std::optional<CertificateState::Time>& time) { return time ? Json(iso_time(*time)) : Json(); }

Json certificate_view(const CertificateState& certificate) {
  Json view{{"names", certificate.names},
            {"source", certificate.source},
            {"not_before", time_or_null(certificate.not_before)},
            {"not_after", time_or_null(certificate.not_after)}};
  if (certificate.source != "acme") return view;
  view["under_way"] = certificate.is_under_way;
  view["renew_at"] = time_or_null(certificate.renew_at);
  view["failures"] = certificate.failures;
  view["last_error"] = certificate.last_error.empty() ? Json() : Json(certificate.last_error);
  view["retry_at"] = time_or_null(certificate.retry_at);
  return view;
}

}  // namespace

Answer get_certificates(Call& call) {
  Json all = Json::array();
  for (const CertificateState& certificate : call.subject.certificates()) all.push_back(certificate_view(certificate));
  return json_answer(Json{{"certificates", std::move(all)}});
}

Answer renew_certificate(Call& call) {
  std::string name;
  Members members(call.content);
  members.text("name", name);
  if (auto wrong = members.complaint()) return std::move(*wrong);
  if (name.empty()) return problem(400, "whose? it takes a name: {\"name\": \"shop.com\"}");
  if (!call.subject.renew(name))
    return problem(404, fmt::format("no certificate for {} is had from an ACME server", name));
  return json_answer(Json{{"renewing", name}});
}

}  // namespace rproxy::admin
