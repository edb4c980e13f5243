#include "http/serializer.h"

#include <cstring>

#include <charconv>

namespace rproxy::http {
namespace {

// Start line, framing and connection fields at their longest, beside the texts they carry.
constexpr std::size_t kFixedText = 256;
constexpr std::size_t kLengthDigitsMax = 20;

char* put(char* out, std::string_view text) {
  if (!text.empty()) std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

char* put_line(char* out, std::string_view name, std::string_view value) {
  out = put(out, name);
  *out++ = ':';
  *out++ = ' ';
  out = put(out, value);
  *out++ = '\r';
  *out++ = '\n';
  return out;
}

bool is_written_by_us(FieldId id) {
  switch (id) {
    case FieldId::kContentLength:
    case FieldId::kTransferEncoding:
    case FieldId::kConnection:
    case FieldId::kUpgrade:
      return true;
    default:
      return false;
  }
}

std::size_t fields_size(const Fields& fields) {
  std::size_t size = 0;
  for (const Field& field : fields) size += field.name.size() + field.value.size() + 4;
  return size;
}

char* put_fields(char* out, const Fields& fields, bool skip_host) {
  for (const Field& field : fields) {
    if (is_written_by_us(field.id) || (skip_host && field.id == FieldId::kHost)) continue;
    out = put_line(out, field.name, field.value);
  }
  return out;
}

char* put_content_length(char* out, std::uint64_t length) {
  out = put(out, "Content-Length: ");
  out = std::to_chars(out, out + kLengthDigitsMax, length).ptr;
  return put(out, "\r\n");
}

char* put_connection(char* out, const WriteOptions& options) {
  if (!options.upgrade.empty()) {
    out = put(out, options.close ? "Connection: upgrade, close\r\n" : "Connection: upgrade\r\n");
    return put_line(out, "Upgrade", options.upgrade);
  }
  if (options.close) return put(out, "Connection: close\r\n");
  if (options.keep_alive_field) return put(out, "Connection: keep-alive\r\n");
  return out;
}

// RFC 9110 8.6: where content is expected, none is said so.
bool expects_content(Method method) {
  return method == Method::kPost || method == Method::kPut || method == Method::kPatch;
}

}  // namespace

std::size_t head_size_max(const RequestHead& head, const WriteOptions& options) {
  return kFixedText + head.method.size() + head.path.size() + head.query.size() + head.authority.size() +
         options.upgrade.size() + fields_size(head.fields);
}

std::size_t head_size_max(const ResponseHead& head, const WriteOptions& options) {
  return kFixedText + head.reason.size() + options.upgrade.size() + fields_size(head.fields);
}

char* write_head(char* out, const RequestHead& head, const WriteOptions& options) {
  out = put(out, head.method);
  *out++ = ' ';
  out = put(out, head.path);
  if (head.has_query) {
    *out++ = '?';
    out = put(out, head.query);
  }
  out = put(out, " HTTP/1.1\r\n");
  out = put_line(out, "Host", head.authority);
  out = put_fields(out, head.fields, true);
  if (options.body.kind == BodyLength::Kind::kChunked) {
    out = put(out, "Transfer-Encoding: chunked\r\n");
  } else if (options.body.kind == BodyLength::Kind::kFixed || expects_content(head.method_id)) {
    out = put_content_length(out, options.body.bytes);
  }
  out = put_connection(out, options);
  return put(out, "\r\n");
}

char* write_head(char* out, const ResponseHead& head, const WriteOptions& options) {
  out = put(out, "HTTP/1.1 ");
  const std::uint16_t status = head.status;
  *out++ = static_cast<char>('0' + status / 100);
  *out++ = static_cast<char>('0' + status / 10 % 10);
  *out++ = static_cast<char>('0' + status % 10);
  *out++ = ' ';
  out = put(out, head.reason.empty() ? reason_phrase(status) : head.reason);
  out = put(out, "\r\n");
  out = put_fields(out, head.fields, false);
  switch (options.body.kind) {
    case BodyLength::Kind::kFixed:
      out = put_content_length(out, options.body.bytes);
      break;
    case BodyLength::Kind::kChunked:
      out = put(out, "Transfer-Encoding: chunked\r\n");
      break;
    case BodyLength::Kind::kNone:
      if (!options.no_content_length) out = put_content_length(out, 0);
      break;
    case BodyLength::Kind::kUntilClose:
      break;
  }
  out = put_connection(out, options);
  return put(out, "\r\n");
}

}  // namespace rproxy::http
