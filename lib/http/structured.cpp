#include "http/structured.h"

#include <algorithm>
#include <charconv>

#include "base/utf8.h"
#include "http/base64.h"
#include "http/characters.h"

namespace rproxy::http::structured {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_alpha(char c) { return is_lower(to_lower(c)); }

// RFC 9651 4.2. Each step fails as a whole, and nothing is read after that.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool is_at_end() const { return rest_.empty(); }
  void skip_spaces() { skip(" "); }
  void skip_whitespace() { skip(" \t"); }

  bool take(char c) {
    if (peek() != c || rest_.empty()) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool read_key(std::string& out) {
    if (!is_lower(peek()) && peek() != '*') return false;
    const auto is_part = [](char c) {
      return is_lower(c) || is_digit(c) || c == '_' || c == '-' || c == '.' || c == '*';
    };
    out = take_while(is_part);
    return true;
  }

  bool read_member(Member& out) {
    if (!take('(')) {
      out.items.emplace_back();
      return read_item(out.items.back());
    }
    out.is_list = true;
    for (;;) {
      skip_spaces();
      if (take(')')) return read_parameters(out.parameters);
      out.items.emplace_back();
      if (!read_item(out.items.back())) return false;
      if (peek() != ' ' && peek() != ')') return false;
    }
  }

  bool read_parameters(Parameters& out) {
    while (take(';')) {
      skip_spaces();
      std::string key;
      if (!read_key(key)) return false;
      Bare value = true;
      if (take('=') && !read_bare(value)) return false;
      const auto same = std::ranges::find(out, key, &Parameters::value_type::first);
      if (same != out.end()) {
        same->second = std::move(value);
      } else {
        out.emplace_back(std::move(key), std::move(value));
      }
    }
    return true;
  }

 private:
  char peek() const { return rest_.empty() ? '\0' : rest_.front(); }

  void skip(std::string_view characters) {
    while (!rest_.empty() && characters.find(rest_.front()) != std::string_view::npos) rest_.remove_prefix(1);
  }

  template <typename Predicate>
  std::string_view take_while(Predicate predicate) {
    const auto end = std::ranges::find_if_not(rest_, predicate);
    const auto taken = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(taken.size());
    return taken;
  }

  bool read_item(Item& out) { return read_bare(out.value) && read_parameters(out.parameters); }

  bool read_bare(Bare& out) {
    const char c = peek();
    if (c == '-' || is_digit(c)) return read_number(out);
    if (c == '"') return read_string(out);
    if (c == ':') return read_bytes(out);
    if (c == '?') return read_boolean(out);
    if (c == '@') return read_date(out);
    if (c == '%') return read_display(out);
    return read_token(out);
  }

  bool read_number(Bare& out) {
    const auto start = rest_;
    take('-');
    const auto whole = take_while(is_digit);
    if (whole.empty()) return false;
    if (peek() == '.') {
      if (whole.size() > 12) return false;
      take('.');
      const auto fraction = take_while(is_digit);
      if (fraction.empty() || fraction.size() > 3) return false;
      double value = 0;
      std::from_chars(start.data(), rest_.data(), value);
      out = value;
      return true;
    }
    if (whole.size() > 15) return false;
    std::int64_t value = 0;
    std::from_chars(start.data(), rest_.data(), value);
    out = value;
    return true;
  }

  bool read_string(Bare& out) {
    take('"');
    std::string text;
    while (!rest_.empty()) {
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') {
        out = std::move(text);
        return true;
      }
      if (c == '\\') {
        c = peek();
        if (c != '"' && c != '\\') return false;
        rest_.remove_prefix(1);
      } else if (c < 0x20 || c > 0x7e) {
        return false;
      }
      text += c;
    }
    return false;
  }

  bool read_token(Bare& out) {
    if (!is_alpha(peek()) && peek() != '*') return false;
    out = Token{std::string(take_while([](char c) { return is(c, kTokenChar) || c == ':' || c == '/'; }))};
    return true;
  }

  bool read_bytes(Bare& out) {
    take(':');
    const auto end = rest_.find(':');
    if (end == std::string_view::npos) return false;
    std::string text(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    while (text.size() % 4 != 0) text += '=';
    Base64Decoder decoder;
    Bytes bytes{std::string(Base64Decoder::size_max(text.size()), '\0')};
    const auto size = decoder.feed(text, bytes.text.data());
    if (!size || !decoder.is_complete()) return false;
    bytes.text.resize(*size);
    out = std::move(bytes);
    return true;
  }

  bool read_boolean(Bare& out) {
    take('?');
    const char c = peek();
    if (c != '0' && c != '1') return false;
    rest_.remove_prefix(1);
    out = c == '1';
    return true;
  }

  bool read_date(Bare& out) {
    take('@');
    Bare number;
    if (!read_number(number) || !std::holds_alternative<std::int64_t>(number)) return false;
    out = Date{std::get<std::int64_t>(number)};
    return true;
  }

  bool read_display(Bare& out) {
    take('%');
    if (!take('"')) return false;
    std::string text;
    while (!rest_.empty()) {
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') {
        if (!is_utf8(text)) return false;
        out = Display{std::move(text)};
        return true;
      }
      if (c < 0x20 || c > 0x7e || (c == '%' && !read_octet(c))) return false;
      text += c;
    }
    return false;
  }

  // In lower case alone.
  bool read_octet(char& out) {
    const auto is_hex = [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); };
    if (rest_.size() < 2 || !is_hex(rest_[0]) || !is_hex(rest_[1])) return false;
    out = static_cast<char>(hex_value(rest_[0]) << 4 | hex_value(rest_[1]));
    rest_.remove_prefix(2);
    return true;
  }

  static bool is_utf8(std::string_view text) {
    while (!text.empty()) {
      const std::size_t size = first_character(text).size;
      if (size == 0) return false;
      text.remove_prefix(size);
    }
    return true;
  }

  std::string_view rest_;
};

// Between members: true where another one follows.
bool read_comma(Reader& in, bool& ok) {
  in.skip_whitespace();
  if (in.is_at_end()) return false;
  ok = in.take(',');
  in.skip_whitespace();
  ok = ok && !in.is_at_end();
  return ok;
}

}  // namespace

std::optional<List> parse_list(std::string_view text) {
  Reader in(text);
  in.skip_spaces();
  List list;
  bool ok = true;
  if (in.is_at_end()) return list;
  do {
    list.emplace_back();
    if (!in.read_member(list.back())) return std::nullopt;
  } while (read_comma(in, ok));
  if (!ok) return std::nullopt;
  return list;
}

std::optional<Dictionary> parse_dictionary(std::string_view text) {
  Reader in(text);
  in.skip_spaces();
  Dictionary dictionary;
  bool ok = true;
  if (in.is_at_end()) return dictionary;
  do {
    std::string key;
    if (!in.read_key(key)) return std::nullopt;
    Member member;
    if (in.take('=')) {
      if (!in.read_member(member)) return std::nullopt;
    } else {
      member.items.push_back({true, {}});
      if (!in.read_parameters(member.items.back().parameters)) return std::nullopt;
    }
    const auto same = std::ranges::find(dictionary, key, &Dictionary::value_type::first);
    if (same != dictionary.end()) {
      same->second = std::move(member);
    } else {
      dictionary.emplace_back(std::move(key), std::move(member));
    }
  } while (read_comma(in, ok));
  if (!ok) return std::nullopt;
  return dictionary;
}

const Member* find(const Dictionary& dictionary, std::string_view key) {
  const auto found = std::ranges::find(dictionary, key, &Dictionary::value_type::first);
  return found != dictionary.end() ? &found->second : nullptr;
}

}  // namespace rproxy::http::structured
