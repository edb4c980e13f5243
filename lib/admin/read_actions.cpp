// Those that change nothing.
#include "admin/actions.h"
#include "admin/lookup.h"
#include "admin/metrics_page.h"
#include "admin/views.h"
#include "metrics/text.h"

namespace rproxy::admin {

Answer get_health(Call& /*call*/) { return json_answer({{"status", "ok"}}); }

Answer get_readiness(Call& call) {
  const std::string reason = unready_reason(call.subject, call.now);
  return reason.empty() ? json_answer({{"status", "ready"}}) : problem(503, reason);
}

Answer get_metrics(Call& call) { return {200, metrics::Text::kContentType, metrics_page(call.subject, call.now), {}}; }

Answer get_status(Call& call) { return json_answer(status_view(call.subject, call.now)); }

Answer get_config(Call& call) { return {200, "application/toml", call.subject.serving.effective, {}}; }

Answer get_upstreams(Call& call) { return json_answer(upstreams_view(call.subject.serving, call.now)); }

Answer get_upstream(Call& call) {
  const auto upstream = find_upstream(call);
  return upstream ? json_answer(upstream_view(**upstream, call.now)) : upstream.error();
}

Answer get_endpoint(Call& call) {
  const auto endpoint = find_endpoint(call);
  return endpoint ? json_answer(endpoint_view(**endpoint, call.now)) : endpoint.error();
}

}  // namespace rproxy::admin
