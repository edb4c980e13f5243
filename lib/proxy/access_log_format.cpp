#include "proxy/access_log_format.h"

#include <algorithm>
#include <charconv>
#include <ctime>

#include "base/utf8.h"

namespace rproxy::proxy {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

void append_number(std::string& out, std::int64_t number) {
  char text[24];
  out.append(text, std::to_chars(text, text + sizeof text, number).ptr);
}

// Milliseconds with three decimals: "1.234".
void append_milliseconds(std::string& out, std::int64_t microseconds) {
  append_number(out, microseconds / 1000);
  const auto rest = static_cast<int>(microseconds % 1000);
  const char decimals[4] = {'.', static_cast<char>('0' + rest / 100), static_cast<char>('0' + rest / 10 % 10),
                            static_cast<char>('0' + rest % 10)};
  out.append(decimals, sizeof decimals);
}

// U+0080 to U+009F, which JSON allows as they are, but which a terminal obeys: U+009B is its other ESC [.
bool is_c1_control(char32_t code) { return code >= 0x80 && code <= 0x9f; }

void append_code(std::string& out, char32_t code) {
  out += "\\u00";
  out += kHex[code >> 4];
  out += kHex[code & 15];
}

bool is_plain(char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

void append_json_text(std::string& out, std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    std::size_t plain = i;
    while (plain < text.size() && is_plain(text[plain])) ++plain;
    out.append(text, i, plain - i);
    i = plain;
    if (i == text.size()) return;
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == '"' || byte == '\\') {
      out += '\\';
      out += text[i++];
      continue;
    }
    const Character character = first_character(text.substr(i));
    if (character.size == 0) {
      out += "\\ufffd";
    } else if (byte < 0x80 || is_c1_control(character.code)) {
      append_code(out, character.code);
    } else {
      out.append(text, i, character.size);
    }
    i += std::max<std::size_t>(character.size, 1);
  }
}

// As nginx: what could break the line or its quotes becomes \xHH.
void append_quoted(std::string& out, std::string_view text) {
  if (text.empty()) {
    out += '-';
    return;
  }
  for (const char c : text) {
    if (is_plain(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += "\\x";
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
}

void append_json(std::string& out, const AccessRecord& record) {
  char separator = '{';
  for (const AccessVariable& variable : access_variables()) {
    if (!variable.in_json) continue;
    AccessValue value;
    variable.get(record, value);
    const bool is_text = value.kind == AccessValue::Kind::kText;
    if (is_text ? value.text.empty() : value.number < 0) continue;
    out += separator;
    separator = ',';
    out += '"';
    out += variable.name;
    out += "\":";
    if (is_text) {
      out += '"';
      append_json_text(out, value.text);
      out += '"';
    } else if (value.kind == AccessValue::Kind::kNumber) {
      append_number(out, value.number);
    } else {
      append_milliseconds(out, value.number);
    }
  }
  out += "}\n";
}

void append_variable(std::string& out, const AccessVariable& variable, const AccessRecord& record) {
  AccessValue value;
  variable.get(record, value);
  if (value.kind == AccessValue::Kind::kText) {
    append_quoted(out, value.text);
  } else if (value.number < 0) {
    out += '-';
  } else if (value.kind == AccessValue::Kind::kNumber) {
    append_number(out, value.number);
  } else {
    append_milliseconds(out, value.number);
  }
}

// Apache's and nginx's "combined".
void append_combined(std::string& out, const AccessRecord& record) {
  static const AccessVariable& client = *find_access_variable("client_ip");
  append_variable(out, client, record);
  std::tm parts{};
  const std::time_t second = std::chrono::system_clock::to_time_t(record.time);
  gmtime_r(&second, &parts);
  char time[40];
  out.append(time, std::strftime(time, sizeof time, " - - [%d/%b/%Y:%H:%M:%S +0000] \"", &parts));
  append_quoted(out, record.method);
  out += ' ';
  append_quoted(out, record.target);
  out += ' ';
  append_quoted(out, record.protocol);
  out += "\" ";
  append_number(out, record.status);
  out += ' ';
  append_number(out, static_cast<std::int64_t>(record.body_bytes_sent));
  out += " \"";
  append_quoted(out, record.referer);
  out += "\" \"";
  append_quoted(out, record.user_agent);
  out += "\"\n";
}

tl::unexpected<Error> bad_template(std::string what) {
  return fail(ErrorCode::kConfig, Side::kLocal, Retry::kNever, std::move(what));
}

}  // namespace

Result<AccessLogFormat> AccessLogFormat::compile(const AccessLogOptions& options) {
  AccessLogFormat made;
  made.format_ = options.format;
  if (options.format != AccessLogOptions::Format::kTemplate) return made;
  std::string_view rest = options.template_text;
  const auto add_text = [&made](char c) {
    if (made.pieces_.empty() || made.pieces_.back().variable != nullptr) made.pieces_.emplace_back();
    made.pieces_.back().text += c;
  };
  while (!rest.empty()) {
    const bool doubled = rest.size() > 1 && rest[0] == rest[1] && (rest[0] == '{' || rest[0] == '}');
    if (rest[0] != '{' || doubled) {
      if (rest[0] == '\n' || rest[0] == '\r') return bad_template("a line of the log has no line breaks");
      add_text(rest[0]);
      rest.remove_prefix(doubled ? 2 : 1);
      continue;
    }
    const auto end = rest.find('}');
    if (end == std::string_view::npos) return bad_template("{ without }; write {{ for a brace itself");
    const auto name = rest.substr(1, end - 1);
    const AccessVariable* variable = find_access_variable(name);
    if (variable == nullptr) return bad_template("unknown variable {" + std::string(name) + "}");
    made.pieces_.push_back({{}, variable});
    rest.remove_prefix(end + 1);
  }
  return made;
}

void AccessLogFormat::append(std::string& out, const AccessRecord& record) const {
  switch (format_) {
    case AccessLogOptions::Format::kJson:
      return append_json(out, record);
    case AccessLogOptions::Format::kCombined:
      return append_combined(out, record);
    case AccessLogOptions::Format::kTemplate:
      return append_template(out, record);
  }
}

void AccessLogFormat::append_template(std::string& out, const AccessRecord& record) const {
  for (const Piece& piece : pieces_) {
    if (piece.variable != nullptr) {
      append_variable(out, *piece.variable, record);
    } else {
      out += piece.text;
    }
  }
  out += '\n';
}

}  // namespace rproxy::proxy
