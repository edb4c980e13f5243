#include "net/dns_message.h"

#include <ares.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace rproxy::net {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kHeaderSize = 12;
constexpr std::uint16_t kClassInternet = 1;

struct Record {
  DnsType type{};
  std::uint16_t record_class = 0;
  Duration ttl{0};
  std::size_t begin = 0;  // of its data, in the message
  std::size_t size = 0;
};

// The sections of a message, from the front.
class Reader {
 public:
  explicit Reader(Bytes message) : message_(message), position_(kHeaderSize) {}

  // The number of records in the answer section; nothing where there is no sound way to it.
  std::optional<std::size_t> begin_answers() {
    if (message_.size() < kHeaderSize) return std::nullopt;
    for (std::size_t questions = number_at(4); questions > 0; --questions) {
      if (!skip_name() || !skip(4)) return std::nullopt;
    }
    return number_at(6);
  }

  std::optional<Record> next() {
    constexpr std::size_t kFixedSize = 10;
    if (!skip_name() || message_.size() - position_ < kFixedSize) return std::nullopt;
    Record record;
    record.type = static_cast<DnsType>(number_at(position_));
    record.record_class = number_at(position_ + 2);
    const std::uint32_t seconds = std::uint32_t{number_at(position_ + 4)} << 16 | number_at(position_ + 6);
    // RFC 2181 8: with the highest bit set it means zero.
    if (seconds >> 31 == 0) record.ttl = std::chrono::seconds(seconds);
    record.size = number_at(position_ + 8);
    record.begin = position_ + kFixedSize;
    if (!skip(kFixedSize) || !skip(record.size)) return std::nullopt;
    return record;
  }

  std::uint16_t number_at(std::size_t at) const {
    return static_cast<std::uint16_t>(message_[at] << 8 | message_[at + 1]);
  }

 private:
  bool skip(std::size_t size) {
    if (message_.size() - position_ < size) return false;
    position_ += size;
    return true;
  }
  // RFC 1035 4.1.4: labels up to the root, or to a pointer elsewhere.
  bool skip_name() {
    while (position_ < message_.size()) {
      const std::uint8_t length = message_[position_];
      if (length == 0) return skip(1);
      if ((length & 0xc0) == 0xc0) return skip(2);
      if ((length & 0xc0) != 0 || !skip(std::size_t{length} + 1)) return false;
    }
    return false;
  }

  Bytes message_;
  std::size_t position_;
};

// Calls `take` with each record of that type; false where the message, or `take`, says that it is malformed.
template <typename Take>
bool each_answer(Bytes message, DnsType type, Duration& ttl, Take take) {
  Reader reader(message);
  const auto count = reader.begin_answers();
  if (!count) return false;
  std::optional<Duration> least;
  for (std::size_t i = 0; i < *count; ++i) {
    const auto record = reader.next();
    if (!record) return false;
    if (record->record_class != kClassInternet || (record->type != type && record->type != DnsType::kCname)) continue;
    least = std::min(least.value_or(record->ttl), record->ttl);
    if (record->type == type && !take(reader, *record)) return false;
  }
  ttl = least.value_or(Duration{0});
  return true;
}

std::optional<std::string> expand_name(Bytes message, std::size_t at) {
  char* text = nullptr;
  long encoded = 0;
  const int status =
      ::ares_expand_name(message.data() + at, message.data(), static_cast<int>(message.size()), &text, &encoded);
  if (status != ARES_SUCCESS) return std::nullopt;
  const std::unique_ptr<char, void (*)(char*)> guard(text, [](char* name) { ::ares_free_string(name); });
  return std::string(text);
}

template <typename T>
void sort_unique(std::vector<T>& list) {
  std::ranges::sort(list);
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

}  // namespace

std::optional<DnsAddresses> parse_addresses(Bytes message, DnsType type) {
  DnsAddresses out;
  const bool is_sound = each_answer(message, type, out.ttl, [&](const Reader&, const Record& record) {
    if (record.size != (type == DnsType::kA ? 4U : 16U)) return false;
    IpAddress address;
    if (type == DnsType::kA) address.bytes[10] = address.bytes[11] = 0xff;
    std::memcpy(address.bytes.data() + (16 - record.size), message.data() + record.begin, record.size);
    out.addresses.push_back(address);
    return true;
  });
  if (!is_sound) return std::nullopt;
  sort_unique(out.addresses);
  return out;
}

std::optional<DnsServices> parse_services(Bytes message) {
  constexpr std::size_t kNumbersSize = 6;  // priority, weight, port
  DnsServices out;
  const bool is_sound = each_answer(message, DnsType::kSrv, out.ttl, [&](const Reader& reader, const Record& record) {
    if (record.size <= kNumbersSize) return false;
    auto target = expand_name(message, record.begin + kNumbersSize);
    if (!target) return false;
    out.services.push_back({reader.number_at(record.begin), reader.number_at(record.begin + 2),
                            reader.number_at(record.begin + 4), std::move(*target)});
    return true;
  });
  if (!is_sound) return std::nullopt;
  sort_unique(out.services);
  return out;
}

}  // namespace rproxy::net
