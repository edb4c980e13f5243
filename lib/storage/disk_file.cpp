#include "storage/disk_file.h"

#include <algorithm>

#include "cache/little_endian.h"
#include "cache/meta_codec.h"

namespace rproxy::storage {
namespace {

// Neither text nor UTF-8, and no line ending survives a transfer as text.
constexpr std::string_view kMagic("\x89rprox\r\n", 8);
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kSumAt = 48;
constexpr std::size_t kMarkAt = 56;
constexpr std::uint64_t kContentMax = std::uint64_t{1} << 48;
constexpr char kStaleMark = '\xff';  // with a flipped bit it still is one

tl::unexpected<Error> damaged(ErrorCode code) { return fail(code, Side::kLocal); }

std::uint64_t head_sum(std::string_view header, std::string_view meta) {
  RunningSum sum;
  sum.add(header.substr(0, kSumAt));
  sum.add(meta);
  return sum.value();
}

std::int64_t useless_ms(const Meta& meta) {
  const auto bounded = [](std::int64_t seconds) { return std::clamp<std::int64_t>(seconds, 0, cache::kSecondsMax); };
  const std::int64_t stale = std::max(bounded(meta.stale_while_revalidate), bounded(meta.stale_if_error));
  const std::int64_t left = bounded(meta.freshness.lifetime) - bounded(meta.initial_age) + stale;
  std::int64_t sum = 0;
  return __builtin_add_overflow(meta.received_ms, left * 1000, &sum) ? meta.received_ms : sum;
}

std::string summed_bytes(const DiskHeader& header) {
  std::string out(kMagic);
  cache::append_number(out, kVersion);
  cache::append_number(out, header.meta_size);
  cache::append_number(out, header.content_size);
  cache::append_number(out, header.content_sum);
  cache::append_number(out, static_cast<std::uint64_t>(header.received_ms));
  cache::append_number(out, static_cast<std::uint64_t>(header.useless_ms));
  return out;
}

Result<DiskHeader> parse_header(std::string_view bytes, std::uint64_t file_size) {
  if (bytes.size() < kDiskHeaderSize) return damaged(ErrorCode::kTruncated);
  const char* const at = bytes.data();
  DiskHeader header;
  header.meta_size = cache::read_number<std::uint32_t>(at + 12);
  header.content_size = cache::read_number<std::uint64_t>(at + 16);
  header.content_sum = cache::read_number<std::uint64_t>(at + 24);
  header.received_ms = static_cast<std::int64_t>(cache::read_number<std::uint64_t>(at + 32));
  header.useless_ms = static_cast<std::int64_t>(cache::read_number<std::uint64_t>(at + 40));
  header.head_sum = cache::read_number<std::uint64_t>(at + kSumAt);
  header.is_stale = bytes[kMarkAt] != 0;
  const bool is_form = bytes.starts_with(kMagic) && cache::read_number<std::uint32_t>(at + 8) == kVersion &&
                       header.meta_size <= cache::kEncodedMetaMax && header.content_size <= kContentMax &&
                       bytes.substr(kMarkAt + 1, 7) == std::string_view("\0\0\0\0\0\0\0", 7);
  if (!is_form) return damaged(ErrorCode::kBadFraming);
  if (header.file_size() != file_size) return damaged(ErrorCode::kTruncated);
  return header;
}

}  // namespace

Result<DiskHeader> read_header(const DiskSystem& system, const Fd& file) {
  const auto size = DiskSystem::size_of(file);
  if (!size) return fail(size.error());
  const auto bytes = system.read(file, 0, kDiskHeaderSize);
  if (!bytes) return fail(bytes.error());
  return parse_header(*bytes, *size);
}

// Most heads come with the first read.
Result<DiskHead> read_head(const DiskSystem& system, const Fd& file) {
  constexpr std::size_t kFirst = 4096;
  const auto size = DiskSystem::size_of(file);
  if (!size) return fail(size.error());
  auto bytes = system.read(file, 0, kFirst);
  if (!bytes) return fail(bytes.error());
  const auto header = parse_header(*bytes, *size);
  if (!header) return fail(header.error());
  const std::size_t end = header->content_offset();
  if (end > bytes->size()) {
    const auto rest = system.read(file, bytes->size(), end - bytes->size());
    if (!rest) return fail(rest.error());
    *bytes += *rest;
  }
  if (bytes->size() < end) return damaged(ErrorCode::kTruncated);
  const std::string_view encoded = std::string_view(*bytes).substr(kDiskHeaderSize, header->meta_size);
  if (head_sum(*bytes, encoded) != header->head_sum) return damaged(ErrorCode::kBadFraming);
  auto meta = cache::decode_meta(encoded);
  if (!meta) return damaged(ErrorCode::kBadFraming);
  return DiskHead{*header, std::move(*meta)};
}

Result<std::vector<std::uint64_t>> read_block_sums(const DiskSystem& system, const Fd& file, const DiskHeader& header) {
  std::string trailer;
  if (const std::uint64_t size = trailer_size(header.content_size); size > 0) {
    auto bytes = system.read(file, header.trailer_offset(), size);
    if (!bytes) return fail(bytes.error());
    trailer = std::move(*bytes);
  }
  std::vector<std::uint64_t> sums;
  if (!read_sums(header.content_size, header.content_sum, trailer, sums)) return damaged(ErrorCode::kBadFraming);
  return sums;
}

Result<void> verify_content(const DiskSystem& system, const Fd& file, const DiskHeader& header) {
  const auto sums = read_block_sums(system, file, header);
  if (!sums) return fail(sums.error());
  std::uint64_t at = 0;
  for (const std::uint64_t sum : *sums) {
    const std::size_t size = std::min<std::uint64_t>(kDiskBlock, header.content_size - at);
    const auto bytes = system.read(file, header.content_offset() + at, size);
    if (!bytes) return fail(bytes.error());
    if (bytes->size() < size) return damaged(ErrorCode::kTruncated);
    if (sum_of(*bytes) != sum) return damaged(ErrorCode::kBadFraming);
    at += size;
  }
  return {};
}

Result<void> mark_stale(const DiskSystem& system, const Fd& file) {
  return system.write(file, kMarkAt, std::string_view(&kStaleMark, 1));
}

std::string head_bytes(const DiskHeader& header, std::string_view encoded) {
  std::string out = summed_bytes(header);
  cache::append_number(out, header.head_sum);
  out += header.is_stale ? kStaleMark : '\0';
  out.resize(kDiskHeaderSize, '\0');
  return out.append(encoded);
}

DiskHeader header_of(const Meta& meta, std::string_view encoded, std::uint64_t content_size,
                     std::uint64_t content_sum) {
  DiskHeader header;
  header.meta_size = static_cast<std::uint32_t>(encoded.size());
  header.content_size = content_size;
  header.content_sum = content_sum;
  header.received_ms = meta.received_ms;
  header.useless_ms = useless_ms(meta);
  header.head_sum = head_sum(summed_bytes(header), encoded);
  return header;
}

}  // namespace rproxy::storage
