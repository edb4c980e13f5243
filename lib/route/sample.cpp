#include "route/sample.h"

#include <fmt/format.h>

#include "http/characters.h"

namespace rproxy::route {
namespace {

std::string encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (http::is(c, http::kUnreservedChar)) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace

std::string Sample::encoded_query() const {
  std::string out;
  for (const auto& [name, value] : query) {
    out += out.empty() ? "" : "&";
    out += encode(name);
    if (!value.empty()) out += "=" + encode(value);
  }
  return out;
}

std::string Sample::cookie_header() const {
  std::string out;
  for (const auto& [name, value] : cookies) out += fmt::format("{}{}={}", out.empty() ? "" : "; ", name, value);
  return out;
}

std::string Sample::url(std::string_view scheme) const {
  const std::string asked = encoded_query();
  return fmt::format("{} {}://{}{}{}{}", method, scheme, host, path, asked.empty() ? "" : "?", asked);
}

std::string Sample::label(std::string_view scheme) const {
  const std::string all = url(scheme);
  return has_secret && !query.empty() ? all.substr(0, all.find('?')) + "?..." : all;
}

SampleHead::SampleHead(const Sample& sample) : query_(sample.encoded_query()), cookies_(sample.cookie_header()) {
  head_.method = sample.method;
  head_.method_id = http::method_id(sample.method);
  head_.scheme = "https";
  head_.authority = head_.host = sample.host;
  head_.path = sample.path;
  head_.query = query_;
  head_.has_query = !query_.empty();
  for (const auto& [name, value] : sample.headers) head_.fields.add(name, value);
  if (!cookies_.empty()) head_.fields.add(http::FieldId::kCookie, cookies_);
}

}  // namespace rproxy::route
