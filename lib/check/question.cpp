#include "check/question.h"

#include <fmt/format.h>

#include <algorithm>

#include "http/authority.h"
#include "http/fields.h"
#include "http/head_parser.h"

namespace rproxy::check {
namespace {

tl::unexpected<Error> refuse(std::string why) {
  return fail(ErrorCode::kConfig, Side::kLocal, Retry::kNever, std::move(why));
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
}

bool has_tls(const config::Config& config) {
  return std::ranges::any_of(config.listeners, [](const auto& listener) { return listener.tls.has_value(); });
}

// A URL without a port leads to the scheme's own, or, where nothing listens there, to whatever is in front of the first listener.
const config::Listener* find_listener(const config::Config& config, std::string_view scheme,
                                      std::string_view authority) {
  http::Authority parts;
  const bool has_port = http::parse_authority(authority, parts) && parts.port;
  const std::uint16_t port = has_port ? *parts.port : scheme == "https" ? 443 : 80;
  const config::Listener* first = nullptr;
  for (const auto& listener : config.listeners) {
    if (listener.tls.has_value() != (scheme == "https")) continue;
    if (listener.listen.address.port == port) return &listener;
    if (first == nullptr) first = &listener;
  }
  return has_port ? nullptr : first;
}

}  // namespace

Result<std::unique_ptr<AskedRequest>> AskedRequest::make(const Question& question, const config::Config& config) {
  std::unique_ptr<AskedRequest> asked(new AskedRequest);
  std::string url = question.request;
  if (has_control(url)) return refuse("a request is one line of text: GET https://shop.com/");
  if (const auto space = url.find(' '); space != std::string::npos) {
    asked->method_ = url.substr(0, space);
    url.erase(0, url.find_first_not_of(' ', space));
  }
  if (auto done = asked->read_url(std::move(url), config); !done) return fail(std::move(done.error()));
  if (auto done = asked->add_headers(question.headers); !done) return fail(std::move(done.error()));
  if (auto done = asked->set_peer(question.from); !done) return fail(std::move(done.error()));
  asked->parse(config);
  return asked;
}

Result<void> AskedRequest::read_url(std::string text, const config::Config& config) {
  constexpr std::string_view kAfterScheme = "://";
  // What follows '#' stays with the client.
  text.erase(std::min(text.find('#'), text.size()));
  const auto mark = text.find(kAfterScheme);
  const bool has_scheme = mark != std::string::npos && mark < text.find('/');
  scheme_ = has_scheme ? text.substr(0, mark) : has_tls(config) ? "https" : "http";
  if (has_scheme) text.erase(0, mark + kAfterScheme.size());
  if (scheme_ != "http" && scheme_ != "https")
    return refuse(fmt::format("{} is no scheme that is served; http and https are", scheme_));
  const auto end = std::min(text.find_first_of("/?"), text.size());
  authority_ = text.substr(0, end);
  target_ = text.substr(end);
  if (authority_.empty()) return refuse("the request names no host: GET https://shop.com/");
  if (target_.empty() || target_.front() == '?') target_.insert(0, "/");
  if (method_ == "OPTIONS" && target_ == "/*") target_ = "*";
  url_ = fmt::format("{} {}://{}{}", method_, scheme_, authority_, target_ == "*" ? "/*" : target_);
  return {};
}

Result<void> AskedRequest::add_headers(const std::vector<std::string>& headers) {
  for (const std::string& header : headers) {
    const auto colon = header.find(':');
    if (colon == std::string::npos || colon == 0)
      return refuse(fmt::format("\"{}\" is no header; write it as \"Accept: image/png\"", header));
    if (has_control(header)) return refuse("a header is one line of text: \"Accept: image/png\"");
    header_lines_ += header + "\r\n";
    has_host_ = has_host_ || http::field_id(header.substr(0, colon)) == http::FieldId::kHost;
  }
  return {};
}

Result<void> AskedRequest::set_peer(const std::string& from) {
  const auto address = IpAddress::parse(from.empty() ? kSomeClient : std::string_view(from));
  if (!address) return refuse(fmt::format("\"{}\" is no IP address", from));
  client_.peer.ip = *address;
  return {};
}

// By the very parser that serve has.
void AskedRequest::parse(const config::Config& config) {
  text_ = fmt::format("{} {} HTTP/1.1\r\n", method_, target_);
  if (!has_host_) text_ += fmt::format("Host: {}\r\n", authority_);
  text_ += header_lines_ + "\r\n";
  client_.scheme = scheme_;
  listener_ = find_listener(config, scheme_, authority_);
  request_.client = &client_;
  request_.arena = &arena_;
  request_.client_ip = client_.peer.ip;
  http::RequestHeadParser parser(request_.head, arena_, config.client.head, config.client.paths);
  const auto parsed = parser.feed(text_);
  request_.head.scheme = client_.scheme;
  request_.client_path = request_.head.path;
  request_.client_authority = request_.head.authority;
  if (!parsed) {
    refusal_ = parsed.error();
  } else if (*parsed != http::ParseProgress::kDone) {
    refusal_ = Error(ErrorCode::kBadRequest, Side::kClient, Retry::kNever, 0, "the head has no end");
  }
}

}  // namespace rproxy::check
