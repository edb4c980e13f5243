#include "proxy/detached_request.h"

namespace rproxy::proxy {

DetachedRequest::DetachedRequest(const exchange::Request& of) {
  request_.head = of.head;
  for (std::string_view* text :
       {&request_.head.method, &request_.head.target, &request_.head.authority, &request_.head.host,
        &request_.head.path, &request_.head.query, &(request_.client_path = of.client_path),
        &(request_.client_authority = of.client_authority), &(request_.trace.request_id = of.trace.request_id)}) {
    *text = arena_.copy(*text);
  }
  request_.head.scheme = of.head.scheme == "https" ? "https" : "http";
  request_.head.expect_continue = false;
  for (http::Field& field : request_.head.fields.lines()) {
    field.name = field.id != http::FieldId::kOther ? http::field_name(field.id) : arena_.copy(field.name);
    field.value = arena_.copy(field.value);
  }
  client_.peer = of.client->peer;
  client_.local = of.client->local;
  client_.scheme = of.client->scheme == "https" ? "https" : "http";
  request_.client = &client_;
  request_.arena = &arena_;
  request_.loop = of.loop;
  request_.client_ip = of.client_ip;
  request_.from_trusted_proxy = of.from_trusted_proxy;
  request_.trace.route = of.trace.route;
  request_.trace.start = of.loop->now();
  request_.trace.wall_time = of.loop->wall_now();
}

}  // namespace rproxy::proxy
