// What the actions on a directory share: which files are meant, going through them, and where what comes of it is written.
#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/cache_inspect.h"
#include "http/message.h"
#include "storage/disk_rows.h"

namespace rproxy::cli {

// The actions; they give exit codes.
int stat_directory(const CacheQuestion& question);
int list_directory(const CacheQuestion& question);
int show_in_directory(const CacheQuestion& question);
int why_in_directory(const CacheQuestion& question);
int cat_from_directory(const CacheQuestion& question);
int measure_directory(const CacheQuestion& question);
int verify_directory(const CacheQuestion& question);
int purge_directory(const CacheQuestion& question);
int export_directory(const CacheQuestion& question);
int import_directory(const CacheQuestion& question);

// Of all that is there, with the time it was asked.
nlohmann::ordered_json directory_stats(const CacheQuestion& question);

std::int64_t wall_clock_ms();
// "/cache: no cache is stored there"; what a command ends with.
std::string describe_directory_error(const Error& error, const std::string& path);

// A file by its name, all of a key, or all of a URL.
class CacheTarget {
 public:
  // Nothing: it is none of these.
  static std::optional<CacheTarget> of(const std::string& text);
  bool holds(const storage::DiskRow& row) const;
  // Where that can be known without a look at all files.
  const std::optional<storage::Digest>& digest() const { return digest_; }
  // Canonical; empty where it is no URL.
  const std::string& url() const { return url_; }

 private:
  std::string text_;
  std::string url_;
  std::optional<storage::DiskName> name_;
  std::optional<storage::Digest> digest_;
};

// Goes through files with progress shown. Throws with a message for the user where the directory can't be gone through.
class CacheScan {
 public:
  CacheScan(const CacheQuestion& question, std::string what);

  using Row = std::function<bool(const storage::DiskRow&)>;  // false: that was enough
  // Those the filter holds for, but for purged ones.
  void each_match(const Row& visit);
  void each_of(const CacheTarget& target, const Row& visit);
  void each(const storage::DiskVisitor& visitor, const std::optional<storage::Digest>& digest = {});

  std::uint64_t damaged() const { return damaged_; }
  std::int64_t now_ms() const { return now_ms_; }

 private:
  const CacheQuestion& question_;
  const std::string what_;
  const std::int64_t now_ms_;
  std::uint64_t damaged_ = 0;
};

// Standard output or a file, which goes where it is not finished. Throws as write_output().
class CacheOutlet {
 public:
  // Empty or "-": standard output.
  explicit CacheOutlet(const std::string& path);
  CacheOutlet(const CacheOutlet&) = delete;
  CacheOutlet& operator=(const CacheOutlet&) = delete;
  ~CacheOutlet();
  void write(std::string_view bytes);
  void finish();

 private:
  const std::string path_;
  std::FILE* file_ = nullptr;
};

// The headers that were given, as fields of a request.
class GivenFields {
 public:
  explicit GivenFields(const std::vector<std::string>& headers);
  const http::Fields& fields() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> lines_;
  http::Fields fields_;
};

// Bytes that are no text are escaped.
std::string json_line(const nlohmann::ordered_json& json, int indent = -1);
nlohmann::ordered_json row_view(const storage::DiskRow& row, std::int64_t now_ms);

}  // namespace rproxy::cli
