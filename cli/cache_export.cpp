// export: answers of a directory as a stream, for another one.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <string>

#include "cache/export_stream.h"
#include "cli/cache_directory.h"
#include "cli/cache_table.h"
#include "cli/command.h"

namespace rproxy::cli {
namespace {

constexpr std::size_t kPiece = 1 << 20;

// Where it goes it can't be marked: its time ends now instead.
cache::Meta exported(const storage::DiskRow& row, std::int64_t now_ms) {
  cache::Meta meta = row.head.meta;
  if (row.is_stale) meta.freshness.lifetime = std::min(meta.freshness.lifetime, cache::age_of(meta, now_ms));
  return meta;
}

class Exporter {
 public:
  Exporter(CacheOutlet& outlet, std::int64_t now_ms) : outlet_(outlet), now_ms_(now_ms) {
    outlet_.write(cache::ExportWriter::begin());
  }

  // False: it is damaged, and nothing of it is in the stream.
  bool add(const storage::DiskRow& row) {
    // What can't be held is read twice, as what has begun in the stream can't be taken back.
    if (row.size() > kPiece && !row.verify()) return false;
    auto piece = row.read(0, kPiece);
    if (!piece) return false;
    const auto head = writer_.begin_record(exported(row, now_ms_), row.size());
    if (!head) return false;
    outlet_.write(*head);
    for (std::uint64_t at = 0; at < row.size();) {
      if (!piece || piece->empty()) throw std::runtime_error(row.path + ": it was damaged while it was read");
      writer_.add(*piece);
      outlet_.write(*piece);
      at += piece->size();
      if (at < row.size()) piece = row.read(at, kPiece);
    }
    outlet_.write(writer_.end_record());
    bytes_ += row.size();
    return true;
  }
  void finish() {
    outlet_.write(writer_.end());
    outlet_.finish();
  }
  std::uint64_t records() const { return writer_.records(); }
  std::uint64_t bytes() const { return bytes_; }

 private:
  CacheOutlet& outlet_;
  const std::int64_t now_ms_;
  cache::ExportWriter writer_;
  std::uint64_t bytes_ = 0;
};

}  // namespace

int export_directory(const CacheQuestion& question) {
  if (question.output.empty() && ::isatty(STDOUT_FILENO) == 1) {
    return refuse_cache_inspect("an export is no text for a terminal: --output FILE, or a pipe, takes it");
  }
  CacheOutlet outlet(question.output);
  CacheScan scan(question, "exporting");
  Exporter exporter(outlet, scan.now_ms());
  std::uint64_t left_out = 0;
  scan.each_match([&](const storage::DiskRow& row) {
    if (!exporter.add(row)) ++left_out;
    return true;
  });
  left_out += scan.damaged();
  exporter.finish();
  fmt::print(stderr, "{} answers exported, {}\n", exporter.records(),
             bytes_text(static_cast<std::int64_t>(exporter.bytes())));
  if (left_out == 0) return kOk;
  return fail_cache_inspect(fmt::format("{} damaged answers are left out: verify says which", left_out));
}

}  // namespace rproxy::cli
