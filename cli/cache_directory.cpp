#include "cli/cache_directory.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>

#include "admin/cache_view.h"
#include "cache/key.h"
#include "cache/url.h"
#include "cli/cache_table.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "http/characters.h"

namespace rproxy::cli {

int inspect_directory(const CacheQuestion& question) {
  static constexpr std::pair<std::string_view, int (*)(const CacheQuestion&)> kActions[] = {
      {"stats", stat_directory},    {"list", list_directory},    {"show", show_in_directory},
      {"why", why_in_directory},    {"cat", cat_from_directory}, {"du", measure_directory},
      {"verify", verify_directory}, {"purge", purge_directory},  {"export", export_directory},
      {"import", import_directory}};
  for (const auto& [name, act] : kActions) {
    if (name != question.action) continue;
    try {
      return act(question);
    } catch (const std::runtime_error& error) {
      return fail_cache_inspect(error.what());
    }
  }
  return kUsage;
}

std::int64_t wall_clock_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string describe_directory_error(const Error& error, const std::string& path) {
  if (error.code == ErrorCode::kConfig) return path + ": no cache is stored there";
  const std::string context = error.context.empty() ? path : error.context;
  if (error.os_error == EWOULDBLOCK) return context + ": ask that one, with --attach SOCKET";
  if (error.os_error != 0) return fmt::format("{}: {}", context, std::strerror(error.os_error));
  return describe(error);
}

// ---- What is meant.

std::optional<CacheTarget> CacheTarget::of(const std::string& text) {
  CacheTarget target;
  target.text_ = text;
  if (const auto name = storage::DiskName::parse(text)) {
    target.name_ = name;
    target.digest_ = name->digest;
    return target;
  }
  if (const auto space = text.find(' '); space != text.npos && text.find("//") > space) {
    // What follows the URL is of the key's extras.
    target.digest_ = storage::Digest::of(text.substr(0, text.find(' ', space + 1)));
    return target;
  }
  Arena arena;
  const auto url = cache::parse_url(text, {}, arena);
  if (!url) return std::nullopt;
  target.url_ = cache::url_of(cache::make_key("-", {}, *url, url->authority, url->path, arena).text);
  return target;
}

bool CacheTarget::holds(const storage::DiskRow& row) const {
  const cache::Meta& meta = row.head.meta;
  if (name_) return row.name == *name_;
  if (digest_) return meta.key == text_ || meta.key + meta.extras == text_;
  return meta.url() == url_ || meta.url() == text_;
}

// ---- Going through files.

CacheScan::CacheScan(const CacheQuestion& question, std::string what)
    : question_(question), what_(std::move(what)), now_ms_(wall_clock_ms()) {}

void CacheScan::each(const storage::DiskVisitor& visitor, const std::optional<storage::Digest>& digest) {
  // What is listed as it is found would stand in one line with it.
  const bool is_streaming = question_.is_ndjson || question_.action == "cat";
  Progress progress(what_, !question_.no_progress && !(is_streaming && ::isatty(STDOUT_FILENO) == 1));
  storage::DiskVisitor shown = visitor;
  shown.oddity = [&](const storage::DiskOddity& oddity) {
    progress.hide();
    if (storage::is_damage(oddity.error)) ++damaged_;
    if (visitor.oddity) visitor.oddity(oddity);
  };
  shown.progress = [&](std::size_t done, std::size_t all) { progress.show(done, all); };
  const auto visited = digest ? storage::visit_disk(question_.directory, *digest, shown)
                              : storage::visit_disk(question_.directory, shown);
  progress.hide();
  if (!visited) throw std::runtime_error(describe_directory_error(visited.error(), question_.directory));
  if (!*visited) {
    fmt::print(stderr, "rproxy cache-inspect: {}: some of its directories can't be read\n", question_.directory);
  }
}

void CacheScan::each_match(const Row& visit) {
  each({[&](const storage::DiskRow& row) {
    const bool is_meant = !row.is_purged && question_.filter.holds(row.head.meta, row.size(), row.is_stale, now_ms_);
    return !is_meant || visit(row);
  }});
}

void CacheScan::each_of(const CacheTarget& target, const Row& visit) {
  each({[&](const storage::DiskRow& row) { return !target.holds(row) || visit(row); }}, target.digest());
}

// ---- Where it is written.

CacheOutlet::CacheOutlet(const std::string& path) : path_(path == "-" ? std::string() : path) {
  if (path_.empty()) return;
  file_ = std::fopen(path_.c_str(), "we");
  if (file_ == nullptr) throw std::runtime_error(fmt::format("{}: can't write it: {}", path_, std::strerror(errno)));
}

CacheOutlet::~CacheOutlet() {
  if (file_ == nullptr) return;
  (void)std::fclose(file_);
  (void)::unlink(path_.c_str());
}

void CacheOutlet::write(std::string_view bytes) {
  if (file_ == nullptr) return write_output(bytes);
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_) == bytes.size()) return;
  throw std::runtime_error(fmt::format("{}: can't write it: {}", path_, std::strerror(errno)));
}

void CacheOutlet::finish() {
  if (file_ == nullptr) return;
  if (std::fclose(std::exchange(file_, nullptr)) == 0) return;
  throw std::runtime_error(fmt::format("{}: can't write it: {}", path_, std::strerror(errno)));
}

// ---- Words.

GivenFields::GivenFields(const std::vector<std::string>& headers) {
  lines_.reserve(headers.size());
  for (const std::string& header : headers) {
    const auto colon = header.find(':');
    const auto value = std::string_view(header).substr(colon + 1);
    lines_.emplace_back(header.substr(0, colon), http::trim(value));
    fields_.add(lines_.back().first, lines_.back().second);
  }
}

std::string json_line(const nlohmann::ordered_json& json, int indent) {
  return json.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
}

nlohmann::ordered_json row_view(const storage::DiskRow& row, std::int64_t now_ms) {
  auto view = admin::cached_object_view({row.head.meta, row.size(), 0, true, row.is_stale}, now_ms);
  view.erase("hits");
  view["key"] = row.head.meta.key + row.head.meta.extras;
  view["file"] = row.name.text();
  return view;
}

}  // namespace rproxy::cli
