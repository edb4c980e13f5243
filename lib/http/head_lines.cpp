#include "http/head_lines.h"

#include <cstring>

#include "http/characters.h"

namespace rproxy::http {

std::optional<std::string_view> next_line(std::string_view bytes, std::size_t offset, std::size_t& scanned, bool& bad) {
  const auto* end = static_cast<const char*>(std::memchr(bytes.data() + scanned, '\n', bytes.size() - scanned));
  if (end == nullptr) {
    scanned = bytes.size();
    return std::nullopt;
  }
  const auto size = static_cast<std::size_t>(end - (bytes.data() + offset));
  scanned = offset + size + 1;
  // RFC 9112 2.2 lets a recipient take a bare LF as a line end; those in front of us or behind us may not, so it is refused.
  bad = size == 0 || end[-1] != '\r';
  return bytes.substr(offset, bad ? size : size - 1);
}

const char* parse_field_line(std::string_view line, Fields& fields) {
  std::size_t name = 0;
  while (name < line.size() && is(line[name], kTokenChar)) ++name;
  if (name == 0) {
    return !line.empty() && (line[0] == ' ' || line[0] == '\t') ? "folded header line" : "header line without a name";
  }
  if (name == line.size()) return "header line without a colon";
  if (line[name] != ':') {
    return line[name] == ' ' || line[name] == '\t' ? "whitespace before a header's colon" : "invalid header name";
  }
  const auto value = trim(line.substr(name + 1));
  if (!is_field_text(value)) return "control character in a header value";
  const auto name_text = line.substr(0, name);
  fields.add(Field{name_text, value, field_id(name_text)});
  return nullptr;
}

bool parse_content_length(std::string_view text, std::uint64_t& length) {
  constexpr std::size_t kDigitsMax = 19;  // 2^63 has as many
  if (text.empty() || text.size() > kDigitsMax) return false;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  if (value >> 63 != 0) return false;
  length = value;
  return true;
}

namespace {

Framing malformed(const char* reason) { return {Framing::Fault::kMalformed, reason, false, false, 0}; }

// RFC 9112 6.1: chunked last and once. Other codings are nobody's here.
Framing read_transfer_encoding(const Fields& fields) {
  bool chunked = false;
  bool unknown = false;
  bool after_chunked = false;
  for (const Field& field : fields) {
    if (field.id != FieldId::kTransferEncoding) continue;
    for_each_element(field.value, [&](std::string_view coding) {
      after_chunked = after_chunked || chunked;
      if (equals_ignoring_case(coding, "chunked")) {
        chunked = true;
      } else {
        unknown = true;
      }
      return true;
    });
  }
  if (!chunked) return malformed("Transfer-Encoding does not end in chunked");
  if (after_chunked) return malformed("Transfer-Encoding goes on after chunked");
  if (unknown) return {Framing::Fault::kUnknownCoding, "unknown transfer coding", false, false, 0};
  Framing framing;
  framing.chunked = true;
  return framing;
}

}  // namespace

Framing read_framing(const Fields& fields, Version version) {
  const Field* length = nullptr;
  bool has_coding = false;
  for (const Field& field : fields) {
    if (field.id == FieldId::kTransferEncoding) {
      has_coding = true;
    } else if (field.id == FieldId::kContentLength) {
      if (length != nullptr) return malformed("repeated Content-Length");
      length = &field;
    }
  }
  if (has_coding) {
    // RFC 9112 6.1 and 6.3: either might be request smuggling.
    if (length != nullptr) return malformed("both Transfer-Encoding and Content-Length");
    if (version == Version::kHttp10) return malformed("Transfer-Encoding in HTTP/1.0");
    return read_transfer_encoding(fields);
  }
  Framing framing;
  if (length == nullptr) return framing;
  if (!parse_content_length(length->value, framing.length)) return malformed("invalid Content-Length");
  framing.has_length = true;
  return framing;
}

std::optional<std::uint64_t> declared_length(const Fields& fields) {
  const Field* field = fields.find(FieldId::kContentLength);
  std::uint64_t length = 0;
  if (field == nullptr || !parse_content_length(field->value, length)) return std::nullopt;
  return length;
}

const char* read_expectation(RequestHead& head) {
  const std::size_t expectations = head.fields.count(FieldId::kExpect);
  if (expectations == 0) return nullptr;
  if (expectations > 1 || !equals_ignoring_case(head.fields.get(FieldId::kExpect), "100-continue")) {
    return "unknown expectation";
  }
  head.expect_continue = true;
  return nullptr;
}

bool wants_upgrade(const Fields& fields) {
  if (!fields.has(FieldId::kUpgrade) || !connection_lists(fields, "upgrade")) return false;
  bool any = false;
  bool harmless = true;
  for (const Field& field : fields) {
    if (field.id != FieldId::kUpgrade) continue;
    for_each_element(field.value, [&](std::string_view protocol) {
      const auto slash = protocol.find('/');
      const auto name = protocol.substr(0, slash);
      any = true;
      harmless = is_token(name) && (slash == std::string_view::npos || is_token(protocol.substr(slash + 1))) &&
                 !equals_ignoring_case(name, "h2c") && !equals_ignoring_case(name, "HTTP");
      return harmless;
    });
    if (!harmless) return false;
  }
  return any;
}

bool connection_lists(const Fields& fields, std::string_view option) {
  for (const Field& field : fields) {
    if (field.id == FieldId::kConnection && list_contains(field.value, option)) return true;
  }
  return false;
}

bool wants_keep_alive(const Fields& fields, Version version) {
  if (!fields.has(FieldId::kConnection)) return version != Version::kHttp10;
  if (connection_lists(fields, "close")) return false;
  return version != Version::kHttp10 || connection_lists(fields, "keep-alive");
}

}  // namespace rproxy::http
