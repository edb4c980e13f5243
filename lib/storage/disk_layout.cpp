#include "storage/disk_layout.h"

#include <fmt/format.h>
#include <sys/file.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

namespace rproxy::storage {
namespace {

constexpr std::size_t kDigestDigits = 32;
constexpr std::size_t kVariantDigits = 8;

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

}  // namespace

bool is_directory_name(std::string_view name) { return name.size() == 2 && std::ranges::all_of(name, is_hex); }

DiskName DiskName::of(const Meta& meta) {
  std::string text = meta.extras;
  for (const cache::VaryField& field : meta.variant)
    text.append(1, '\0').append(field.name).append(1, '\0').append(field.value);
  if (meta.part) text += fmt::format("\n{}-{}", meta.part->range.first, meta.part->range.last);
  return {Digest::of(meta.key), static_cast<std::uint32_t>(XXH3_64bits(text.data(), text.size()))};
}

std::string DiskName::text() const { return fmt::format("{}.{:08x}", digest.hex(), variant); }

std::optional<DiskName> DiskName::parse(std::string_view text) {
  if (text.size() != kDigestDigits + 1 + kVariantDigits || text[kDigestDigits] != '.') return std::nullopt;
  const auto digest = Digest::parse(text.substr(0, kDigestDigits));
  const std::string_view digits = text.substr(kDigestDigits + 1);
  if (!digest || !std::ranges::all_of(digits, is_hex)) return std::nullopt;
  DiskName name{*digest, 0};
  std::from_chars(digits.data(), digits.data() + digits.size(), name.variant, 16);
  return name;
}

std::string DiskLayout::directory(const Digest& digest) const {
  return fmt::format("{}/{:02x}/{:02x}", path_, digest.high >> 56, digest.high >> 48 & 0xff);
}

std::string DiskLayout::file(const DiskName& name) const { return directory(name.digest) + '/' + name.text(); }

Result<Fd> DiskLayout::take(const DiskSystem& system) const {
  if (auto made = system.make_directories(drafts()); !made) return fail(made.error());
  auto held = system.open_to_append(lock());
  if (!held) return held;
  if (::flock(held->get(), LOCK_EX | LOCK_NB) == 0) return held;
  const std::string context = errno == EWOULDBLOCK ? path_ + ": another process stores its cache there" : path_;
  return fail(Error(ErrorCode::kFile, Side::kLocal, Retry::kNever, errno, context));
}

Result<void> DiskLayout::remove_drafts(const DiskSystem& system) const {
  const auto names = system.list(drafts());
  if (!names) return fail(names.error());
  for (const std::string& name : *names) {
    if (auto removed = system.remove(drafts() + '/' + name); !removed) return fail(removed.error());
  }
  return {};
}

}  // namespace rproxy::storage
