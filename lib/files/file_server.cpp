#include "files/file_server.h"

#include <cerrno>
#include <chrono>
#include <utility>

#include "base/log.h"
#include "exchange/error_page.h"
#include "exchange/representation.h"
#include "exchange/string_body.h"
#include "files/directory_page.h"
#include "files/file_body.h"
#include "files/name.h"
#include "http/negotiation.h"
#include "net/from_thread.h"

namespace rproxy::files {

using exchange::Request;
using exchange::Response;
using http::FieldId;
using http::Method;
using Kind = Look::Kind;

namespace {

constexpr std::string_view kAllowed = "GET, HEAD, OPTIONS";

std::int64_t wall_seconds(const net::Loop& loop) {
  return std::chrono::duration_cast<std::chrono::seconds>(loop.wall_now().time_since_epoch()).count();
}

Response answer_by_method(Request& request) {
  Response response;
  if (request.head.method_id == Method::kOptions) {
    response.head.status = 204;
  } else {
    response = exchange::page(request, 405);
  }
  response.head.fields.add(FieldId::kAllow, kAllowed);
  return response;
}

// Relative links of what is there lead below it, and not beside it.
Response redirect_to_slash(Request& request) {
  Response response = exchange::page(request, 308);
  response.head.fields.remove(FieldId::kCacheControl);
  const std::string_view mark = request.head.has_query ? "?" : "";
  response.head.fields.add(FieldId::kLocation,
                           request.arena->concat({request.client_path, "/", mark, request.head.query}));
  return response;
}

Response directory_response(Request& request, const Directory& directory) {
  Response response;
  const bool is_json = http::preferred_page(request.head.fields) == http::PageType::kJson;
  http::Fields& fields = response.head.fields;
  std::string text;
  if (is_json) {
    fields.add(FieldId::kContentType, "application/json");
    text = json_of(directory);
  } else {
    fields.add(FieldId::kContentType, "text/html; charset=utf-8");
    fields.add("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
    text = html_of(directory, "/" + name_of(request.client_path, true).value_or(""));
  }
  fields.add(FieldId::kVary, "Accept");
  response.body = std::make_unique<exchange::StringBody>(request.arena->copy(text));
  return response;
}

Kind kind_of_directory(int error) {
  if (error == ENOENT || error == ENOTDIR) return Kind::kMissing;
  return error == EACCES || error == EXDEV || error == ELOOP ? Kind::kForbidden : Kind::kFailed;
}

}  // namespace

bool serves_method(Method method) { return method == Method::kGet || method == Method::kHead; }

FileServer::FileServer(const Plan& plan) : plan_(plan), held_(*plan.shared), root_version_(plan.root->version()) {}

net::Task<Result<Response>> FileServer::handle(Request& request) {
  if (!serves_method(request.head.method_id)) co_return answer_by_method(request);
  std::string_view path = request.head.path;
  if (plan_.rewrite) {
    const auto rewritten = plan_.rewrite->apply(path, *request.arena);
    if (!rewritten) co_return fail(rewritten.error());
    path = *rewritten;
  }
  const TimePoint now = request.loop->now();
  look_at_root(now);
  auto name = name_of(path, plan_.options.hidden);
  // A path that begins with two slashes would be another host in a Location.
  if (!name || request.client_path.starts_with("//")) co_return exchange::page(request, 404);
  if (const auto held = held_.find(*name, now)) co_return answer(request, held);
  co_return co_await look_for(request, std::move(*name));
}

void FileServer::look_at_root(TimePoint now) {
  plan_.root->watch(now, plan_.shared->threads());
  if (std::exchange(root_version_, plan_.root->version()) != plan_.root->version()) held_.clear();
}

void FileServer::sweep(TimePoint now) {
  look_at_root(now);
  held_.sweep(now);
}

net::Task<Result<Response>> FileServer::look_for(Request& request, std::string name) {
  if (name.empty() || name.ends_with('/')) co_return co_await serve_directory(request, std::move(name));
  auto found = co_await find(*request.loop, name);
  if (found.kind == Kind::kFile) co_return answer(request, found.resource);
  if (found.kind != Kind::kDirectory) co_return co_await serve_fallback(request, std::move(found));
  // A rewrite may have taken the slash away: asking for it again would have no end.
  if (request.client_path.ends_with('/')) co_return co_await serve_directory(request, name + '/');
  co_return redirect_to_slash(request);
}

net::Task<Result<Response>> FileServer::serve_directory(Request& request, std::string name) {
  for (const std::string& index : plan_.options.index) {
    auto found = co_await find(*request.loop, name + index);
    if (found.kind == Kind::kFile) co_return answer(request, found.resource);
    if (found.kind != Kind::kMissing && found.kind != Kind::kDirectory) co_return refuse(request, found);
  }
  if (plan_.options.autoindex) co_return co_await list_directory(request, std::move(name));
  auto found = co_await find(*request.loop, std::move(name));
  co_return co_await serve_fallback(request, std::move(found));
}

net::Task<Result<Response>> FileServer::list_directory(Request& request, std::string name) {
  net::FromThread<Directory> read(*request.loop);
  const bool is_posted =
      plan_.shared->threads().post([root = plan_.root, name = std::move(name), hidden = plan_.options.hidden,
                                    tell = read.teller()] { tell(read_directory(*root, name, hidden)); });
  if (!is_posted) co_return refuse(request, Found(Kind::kFailed, EAGAIN));
  const Directory directory = co_await read.told();
  if (directory.error == 0) co_return directory_response(request, directory);
  co_return co_await serve_fallback(request, Found(kind_of_directory(directory.error), directory.error));
}

// In place of what is not there, or of a directory that shows nothing.
net::Task<Result<Response>> FileServer::serve_fallback(Request& request, Found found) {
  const bool has_nothing = found.kind == Kind::kMissing || found.kind == Kind::kDirectory;
  if (has_nothing && !plan_.options.fallback.empty()) {
    auto fallback = co_await find(*request.loop, plan_.options.fallback.substr(1));
    if (fallback.kind == Kind::kFile) co_return answer(request, fallback.resource);
  }
  co_return refuse(request, found);
}

net::Task<FileServer::Found> FileServer::find(net::Loop& loop, std::string name) {
  if (auto held = held_.find(name, loop.now())) co_return Found(std::move(held));
  Look found = look(*plan_.root, name, plan_.options.precompressed, Root::Wait::kNever);
  if (found.kind == Kind::kUnknown) found = co_await look_elsewhere(loop, name);
  if (found.kind != Kind::kFile) co_return Found(found.kind, found.error);
  auto resource = make_resource(std::move(found), name, plan_.options, wall_seconds(loop));
  held_.keep(std::move(name), resource, loop.now());
  co_return Found(std::move(resource));
}

net::Task<Look> FileServer::look_elsewhere(net::Loop& loop, std::string name) {
  net::FromThread<Look> answer(loop);
  const bool is_posted =
      plan_.shared->threads().post([root = plan_.root, name = std::move(name), codings = plan_.options.precompressed,
                                    tell = answer.teller()] { tell(look(*root, name, codings, Root::Wait::kMay)); });
  if (is_posted) co_return co_await answer.told();
  Look refused;
  refused.kind = Kind::kFailed;
  refused.error = EAGAIN;
  co_return refused;
}

Response FileServer::answer(Request& request, const ResourcePtr& resource) const {
  const Variant& variant = choose_variant(*resource, request.head.fields);
  const std::int64_t now = wall_seconds(*request.loop);
  switch (http::evaluate(request.head, variant.validators(), now)) {
    case http::Precondition::kNotModified:
      return exchange::not_modified(request, variant.fields());
    case http::Precondition::kFailed:
      return exchange::page(request, 412);
    case http::Precondition::kHolds:
      break;
  }
  const auto make = [&threads = plan_.shared->threads(), loop = request.loop, resource, &variant](
                        std::uint64_t first, std::uint64_t size) -> std::unique_ptr<exchange::Body> {
    return std::make_unique<FileBody>(resource, variant, *loop, threads, first, size);
  };
  if (request.head.fields.has(FieldId::kRange)) {
    const exchange::Representation of{variant.fields(), variant.size(), variant.validators(), now, make};
    if (auto ranged = exchange::answer_range(request, of, now)) return std::move(*ranged);
  }
  Response response;
  response.head.fields = variant.fields();
  response.body = make(0, variant.size());
  return response;
}

Response FileServer::refuse(Request& request, const Found& found) const {
  switch (found.kind) {
    case Kind::kMissing:
      return exchange::page(request, 404);
    case Kind::kDirectory:
    case Kind::kForbidden:
      return exchange::page(request, 403);
    default:
      break;
  }
  log::error("files: {}{}: {}", plan_.options.root, request.client_path,
             describe(Error(ErrorCode::kFile, Side::kLocal, Retry::kNever, found.error)));
  const bool may_pass = found.error == EMFILE || found.error == ENFILE || found.error == EAGAIN;
  return exchange::page(request, may_pass ? 503 : 500);
}

}  // namespace rproxy::files
