#include "scan/hello.h"

#include <algorithm>
#include <bit>
#include <initializer_list>

#include "base/address.h"
#include "scan/cipher.h"

namespace rproxy::scan {
namespace {

// ---- Writing.

void put8(std::string& out, std::size_t value) { out += static_cast<char>(value & 0xff); }
void put16(std::string& out, std::size_t value) {
  put8(out, value >> 8);
  put8(out, value);
}

std::string with_size16(const std::string& body) {
  std::string out;
  put16(out, body.size());
  return out + body;
}

std::string list16(const std::vector<std::uint16_t>& values) {
  std::string body;
  for (const std::uint16_t value : values) put16(body, value);
  return with_size16(body);
}

void put_extension(std::string& out, std::uint16_t type, const std::string& body) {
  put16(out, type);
  out += with_size16(body);
}

std::string server_name_list(const std::string& name) {
  std::string entry;
  put8(entry, 0);  // host_name
  entry += with_size16(name);
  return with_size16(entry);
}

std::string extensions_of(const ClientHello& hello) {
  std::string out;
  // RFC 6066 3: addresses are no names.
  if (!hello.server_name.empty() && !IpAddress::parse(hello.server_name))
    put_extension(out, 0, server_name_list(hello.server_name));
  if (!hello.groups.empty()) put_extension(out, 10, list16(hello.groups));
  put_extension(out, 11, std::string("\x01\x00", 2));
  if (hello.version >= 0x0303)
    put_extension(out, 13,
                  list16({0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601, 0x0603, 0x0807, 0x0808,
                          0x0809, 0x080a, 0x080b, 0x0201, 0x0203, 0x0202}));
  if (hello.version < kTls13) {
    put_extension(out, 22, "");  // encrypt_then_mac
    put_extension(out, 23, "");  // extended_master_secret
    put_extension(out, 0xff01, std::string(1, '\0'));
  } else {
    put_extension(out, 43, std::string("\x02\x03\x04", 3));
    put_extension(out, 45, std::string("\x01\x01", 2));
    put_extension(out, 51, std::string(2, '\0'));
  }
  return out;
}

// ---- Reading.

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::size_t number(std::size_t size) {
    std::size_t value = 0;
    for (const char c : take(size)) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }
  std::string_view take(std::size_t size) {
    if (size > rest_.size()) {
      is_fine_ = false;
      rest_ = {};
      return {};
    }
    const auto taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  bool is_fine() const { return is_fine_; }
  std::size_t left() const { return rest_.size(); }

 private:
  std::string_view rest_;
  bool is_fine_ = true;
};

constexpr std::size_t kRecordMax = 16384 + 2048;
constexpr std::uint8_t kAlert = 21;
constexpr std::uint8_t kHandshake = 22;

void read_extensions(Reader extensions, ServerAnswer& answer) {
  while (extensions.is_fine() && extensions.left() > 0) {
    const std::size_t type = extensions.number(2);
    Reader body(extensions.take(extensions.number(2)));
    if (type == 43) answer.version = static_cast<std::uint16_t>(body.number(2));
    // Of a HelloRetryRequest the group alone, of a ServerHello its key behind it.
    if (type == 51) answer.group = static_cast<std::uint16_t>(body.number(2));
    if (type == 0xff01) answer.renegotiation = true;
    if (type == 23) answer.extended_master_secret = true;
  }
}

bool read_server_hello(Reader message, ServerAnswer& answer) {
  answer.version = static_cast<std::uint16_t>(message.number(2));
  message.take(32);
  message.take(message.number(1));
  answer.cipher = static_cast<std::uint16_t>(message.number(2));
  answer.compression = message.number(1) != 0;
  if (!message.is_fine()) return false;
  if (message.left() > 0) read_extensions(Reader(message.take(message.number(2))), answer);
  return true;
}

bool is_within(std::uint16_t cipher, std::initializer_list<std::pair<int, int>> ranges) {
  return std::ranges::any_of(ranges,
                             [cipher](const auto& range) { return cipher >= range.first && cipher <= range.second; });
}

// RFC 8422 5.4, RFC 5246 7.4.3.
void read_key_exchange(Reader message, ServerAnswer& answer) {
  constexpr std::size_t kNamedCurve = 3;
  const bool is_curve = is_within(
      answer.cipher, {{0xc001, 0xc019}, {0xc023, 0xc032}, {0xc048, 0xc063}, {0xc0ac, 0xc0af}, {0xcca8, 0xcca9}});
  if (is_curve) {
    if (message.number(1) == kNamedCurve) answer.group = static_cast<std::uint16_t>(message.number(2));
    return;
  }
  std::string_view prime = message.take(message.number(2));
  while (!prime.empty() && prime.front() == '\0') prime.remove_prefix(1);
  if (prime.empty()) return;
  const auto first = static_cast<unsigned char>(prime.front());
  answer.dh_bits = static_cast<int>(8 * (prime.size() - 1)) + std::bit_width(static_cast<unsigned>(first));
}

// The handshake's messages, which records cut anywhere.
ServerAnswer read_messages(std::string_view handshake, ServerAnswer answer) {
  constexpr std::size_t kServerHello = 2;
  constexpr std::size_t kServerKeyExchange = 12;
  constexpr std::size_t kServerHelloDone = 14;
  bool has_hello = false;
  Reader messages(handshake);
  while (messages.left() >= 4) {
    const std::size_t type = messages.number(1);
    const std::size_t size = messages.number(3);
    if (size > messages.left()) break;
    const Reader body(messages.take(size));
    if (!has_hello && type != kServerHello) {
      answer.kind = ServerAnswer::Kind::kOther;
      return answer;
    }
    if (type == kServerHello) {
      has_hello = read_server_hello(body, answer);
      if (!has_hello) answer.kind = ServerAnswer::Kind::kOther;
      if (!has_hello || answer.version >= kTls13) break;
    }
    if (type == kServerKeyExchange) read_key_exchange(body, answer);
    if (type == kServerHelloDone) {
      answer.kind = ServerAnswer::Kind::kHello;
      break;
    }
  }
  if (has_hello && answer.version >= kTls13) answer.kind = ServerAnswer::Kind::kHello;
  return answer;
}

}  // namespace

std::string ClientHello::to_bytes(std::string_view random) const {
  std::string body;
  put16(body, std::min<std::uint16_t>(version, 0x0303));
  body += random;
  put8(body, 0);  // no session
  std::vector<std::uint16_t> offered = ciphers;
  // What says in SSL 3, where there are no extensions, that renegotiation is secure (RFC 5746 3.3).
  if (version < kTls13) offered.push_back(0x00ff);
  if (fallback) offered.push_back(0x5600);
  body += list16(offered);
  body += compression ? std::string("\x02\x01\x00", 3) : std::string("\x01\x00", 2);
  if (version > 0x0300) body += with_size16(extensions_of(*this));
  std::string message;
  put8(message, 1);
  put8(message, body.size() >> 16);
  put16(message, body.size());
  message += body;
  std::string record;
  put8(record, kHandshake);
  put16(record, version > 0x0300 ? 0x0301 : 0x0300);
  return record + with_size16(message);
}

ServerAnswer ServerAnswer::parse(std::string_view bytes) {
  std::string handshake;
  ServerAnswer answer;
  Reader records(bytes);
  while (records.left() >= 5) {
    const std::size_t type = records.number(1);
    const std::size_t version = records.number(2);
    const std::size_t size = records.number(2);
    if (version >> 8 != 3 || size > kRecordMax || (type != kAlert && type != kHandshake)) {
      answer.kind = Kind::kOther;
      break;
    }
    if (size > records.left()) break;
    Reader body(records.take(size));
    if (type == kAlert) {
      const bool is_warning = body.number(1) == 1;
      const auto alert = static_cast<std::uint8_t>(body.number(1));
      // "unrecognized_name" as a warning is passed over by all (RFC 6066 3).
      if (is_warning && alert == 112) continue;
      answer.kind = Kind::kAlert;
      answer.alert = alert;
      return answer;
    }
    handshake += body.take(size);
  }
  if (answer.kind == Kind::kOther && handshake.empty()) return answer;
  answer.kind = Kind::kMore;
  return read_messages(handshake, answer);
}

}  // namespace rproxy::scan
