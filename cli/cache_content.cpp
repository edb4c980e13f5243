// cat, verify and purge: the contents of a directory's files, and those that are to go.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "cache/url.h"
#include "cli/cache_directory.h"
#include "cli/cache_table.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/progress.h"

namespace rproxy::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kPiece = 256 * 1024;
constexpr std::size_t kNamesShown = 20;

std::string damage_text(const Error& error) {
  if (error.code == ErrorCode::kTruncated) return "cut short, or lengthened";
  if (error.code == ErrorCode::kBadFraming) return "damaged: a checksum differs, or it is no file of a cache";
  return error.os_error != 0 ? std::string(std::strerror(error.os_error)) : describe(error);
}

// What a terminal would take for something else than text.
bool is_binary(std::string_view bytes) {
  return std::ranges::any_of(bytes, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\n' && c != '\t' && c != '\r' && c != '\f') || byte == 0x7f;
  });
}

// ---- cat.

std::vector<storage::DiskName> names_of(const CacheQuestion& question, const CacheTarget& target) {
  const GivenFields given(question.headers);
  std::vector<storage::DiskName> names;
  CacheScan scan(question, "looking");
  scan.each_of(target, [&](const storage::DiskRow& row) {
    const bool is_meant = question.headers.empty() || cache::matches(row.head.meta.variant, given.fields());
    if (is_meant && !row.is_purged) names.push_back(row.name);
    return true;
  });
  return names;
}

// Error: what is wrong with the file.
Result<void> write_content(const storage::DiskRow& row, CacheOutlet& outlet, bool is_text_only) {
  for (std::uint64_t at = 0; at < row.size();) {
    const auto piece = row.read(at, kPiece);
    if (!piece) return fail(piece.error());
    if (piece->empty()) return fail(ErrorCode::kTruncated, Side::kLocal);
    if (is_text_only && is_binary(*piece)) {
      throw std::runtime_error("it is binary, and this is a terminal: --output FILE, or a pipe, takes it");
    }
    outlet.write(*piece);
    at += piece->size();
  }
  return {};
}

int cat(const CacheQuestion& question, const storage::DiskName& name) {
  CacheOutlet outlet(question.output);
  const bool is_text_only = question.output.empty() && ::isatty(STDOUT_FILENO) == 1;
  bool is_there = false;
  std::string damage;
  CacheScan scan(question, "reading");
  scan.each({[&](const storage::DiskRow& row) {
              if (row.name != name) return true;
              is_there = true;
              if (const auto written = write_content(row, outlet, is_text_only); !written) {
                damage = fmt::format("{}: {}", row.path, damage_text(written.error()));
              }
              return false;
            }},
            name.digest);
  if (!damage.empty()) return fail_cache_inspect(damage);
  if (!is_there) return fail_cache_inspect(question.target + ": it has just gone");
  outlet.finish();
  return kOk;
}

// ---- purge.

std::vector<cache::Purge> purges_of(const CacheQuestion& question) {
  using Kind = cache::Purge::Kind;
  const bool soft = question.is_soft;
  if (!question.prefix.empty()) return {{Kind::kPrefix, question.prefix, soft}};
  if (!question.filter.tag.empty()) return {{Kind::kTag, question.filter.tag, soft}};
  if (!question.group.empty()) return {{Kind::kGroup, question.group, soft}};
  if (question.is_all) return {{Kind::kAll, {}, soft}};
  const auto target = CacheTarget::of(question.target);
  if (!target || target->url().empty()) return {};
  std::vector<cache::Purge> purges{{Kind::kUrl, target->url(), soft}};
  if (question.target != target->url()) purges.push_back({Kind::kUrl, question.target, soft});
  return purges;
}

}  // namespace

int cat_from_directory(const CacheQuestion& question) {
  const auto target = CacheTarget::of(question.target);
  if (!target) return refuse_cache_inspect(question.target + " is no URL, no key and no file's name");
  const auto names = names_of(question, *target);
  if (names.empty()) return fail_cache_inspect(fmt::format("nothing is stored of {}", question.target));
  if (names.size() == 1) return cat(question, names.front());
  std::string list;
  for (std::size_t i = 0; i < std::min(names.size(), kNamesShown); ++i) list += "\n  " + names[i].text();
  return fail_cache_inspect(
      fmt::format("{} answers are stored of it; --header says which, or a file's name:{}", names.size(), list));
}

int verify_directory(const CacheQuestion& question) {
  std::uint64_t files = 0;
  std::uint64_t damaged = 0;
  std::uint64_t removed = 0;
  std::uint64_t unread = 0;
  Json list = Json::array();
  const auto found = [&](const std::string& path, const Error& error, const std::function<Result<bool>()>& remove) {
    const bool is_damaged = storage::is_damage(error);
    ++(is_damaged ? damaged : unread);
    const bool is_gone = is_damaged && question.is_repair && remove().value_or(false);
    if (is_gone) ++removed;
    if (question.is_json) {
      list.push_back({{"file", path}, {"what", damage_text(error)}, {"removed", is_gone}});
    } else {
      write_output(fmt::format("{}: {}{}\n", path, damage_text(error), is_gone ? "; removed" : ""));
    }
  };
  CacheScan scan(question, "verifying");
  scan.each({[&](const storage::DiskRow& row) {
               ++files;
               if (const auto whole = row.verify(); !whole) {
                 found(row.path, whole.error(), [&] { return row.remove(); });
               }
               return true;
             },
             [&](const storage::DiskOddity& oddity) {
               ++files;
               found(oddity.path, oddity.error, oddity.remove);
             }});
  if (question.is_json) {
    write_output(json_line(
        {{"files", files}, {"damaged", damaged}, {"removed", removed}, {"unread", unread}, {"list", std::move(list)}},
        2));
  } else {
    write_output(fmt::format("{} files: {} damaged", files, damaged));
    if (removed != 0) write_output(fmt::format(", {} of them removed", removed));
    if (unread != 0) write_output(fmt::format(", {} can't be read", unread));
    write_output(damaged > removed && !question.is_repair ? "; --repair removes them\n" : "\n");
  }
  return damaged == removed && unread == 0 ? kOk : kRuntime;
}

int purge_directory(const CacheQuestion& question) {
  const auto purges = purges_of(question);
  if (purges.empty()) return refuse_cache_inspect(question.target + " is no URL such as https://shop.com/a.png");
  Progress progress("purging", !question.no_progress);
  const auto purged = storage::purge_disk(question.directory, purges, wall_clock_ms(),
                                          [&](std::size_t done, std::size_t all) { progress.show(done, all); });
  progress.hide();
  if (!purged) return fail_cache_inspect(describe_directory_error(purged.error(), question.directory));
  if (question.is_json) {
    write_output(json_line({{"purged", purged->files}, {"bytes", purged->bytes}, {"soft", question.is_soft}}, 2));
  } else {
    write_output(fmt::format("{} answers {} ({} on disk)\n", purged->files, question.is_soft ? "made stale" : "removed",
                             bytes_text(static_cast<std::int64_t>(purged->bytes))));
  }
  return kOk;
}

}  // namespace rproxy::cli
