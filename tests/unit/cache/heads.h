// Heads, keys and entries without a network.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cache/entry.h"
#include "http/date.h"
#include "http/message.h"

namespace rproxy::cache {

using Lines = std::vector<std::pair<std::string_view, std::string_view>>;

// Sun, 06 Nov 1994 08:49:37 GMT
constexpr std::int64_t kThen = 784'111'777;

inline http::Fields fields_of(const Lines& lines) {
  http::Fields fields;
  for (const auto& [name, value] : lines) fields.add(name, value);
  return fields;
}

inline http::RequestHead request_of(const Lines& lines, std::string_view method = "GET") {
  http::RequestHead head;
  head.method = method;
  head.method_id = http::method_id(method);
  head.scheme = "https";
  head.fields = fields_of(lines);
  return head;
}

inline http::ResponseHead response_of(std::uint16_t status, const Lines& lines) {
  http::ResponseHead head;
  head.status = status;
  head.fields = fields_of(lines);
  return head;
}

inline std::string date_text(std::int64_t seconds) {
  std::string text(http::kDateSize, '\0');
  http::write_date(text.data(), seconds);
  return text;
}

inline Key key_of(std::string_view text, std::string_view extras = {}) { return {text, extras, Digest::of(text)}; }

// What an answer to a request, sent and received at `at` (seconds), is stored as.
inline Meta meta_of(std::string_view key, const Lines& request, std::uint16_t status, const Lines& response,
                    const Policy& policy = {}, std::int64_t at = kThen) {
  const auto asked = request_of(request);
  const auto answer = response_of(status, response);
  const auto directives = ResponseDirectives::of(answer.fields);
  const auto freshness = freshness_of(status, answer.fields, directives, policy, at);
  return make_meta(key_of(key), {asked, answer, directives, freshness, at * 1000, at * 1000}, policy);
}

inline EntryPtr entry_of(Meta meta, std::string_view content = "hello") {
  return std::make_shared<const Entry>(std::move(meta), Content::whole(content));
}

inline EntryPtr entry_with(const Lines& response, const Policy& policy = {}) {
  return entry_of(meta_of("shop https://shop.com/a", {}, 200, response, policy));
}

inline std::string field_of(const Meta& meta, std::string_view name) {
  std::string all;
  for (const auto& [each, value] : meta.fields) {
    if (http::equals_ignoring_case(each, name)) all += (all.empty() ? "" : " | ") + value;
  }
  return all;
}

}  // namespace rproxy::cache
