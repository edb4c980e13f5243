// list: of a directory.
#include <algorithm>
#include <functional>
#include <limits>
#include <vector>

#include "cli/cache_directory.h"
#include "cli/cache_table.h"
#include "cli/command.h"
#include "cli/output.h"

namespace rproxy::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kListUsually = 100;

// Before which a line stands: by what it is sorted.
bool comes_before(const Json& a, const Json& b, const std::string& by) {
  if (by == "size") return a.at("size").get<std::uint64_t>() > b.at("size").get<std::uint64_t>();
  if (by == "age") return a.at("age").get<std::int64_t>() > b.at("age").get<std::int64_t>();
  return a.at("url").get_ref<const std::string&>() < b.at("url").get_ref<const std::string&>();
}

// The first so many of a list that nobody holds: a heap with the last of them on top.
class FirstOfAll {
 public:
  FirstOfAll(std::string by, std::uint64_t limit) : by_(std::move(by)), limit_(limit) {}

  void add(Json line) {
    ++matched_;
    const auto before = [this](const Json& a, const Json& b) { return comes_before(a, b, by_); };
    if (heap_.size() >= limit_) {
      if (!before(line, heap_.front())) return;
      std::ranges::pop_heap(heap_, before);
      heap_.pop_back();
    }
    heap_.push_back(std::move(line));
    std::ranges::push_heap(heap_, before);
  }
  std::vector<Json> sorted() && {
    std::ranges::sort_heap(heap_, [this](const Json& a, const Json& b) { return comes_before(a, b, by_); });
    return std::move(heap_);
  }
  std::uint64_t matched() const { return matched_; }

 private:
  const std::string by_;
  const std::uint64_t limit_;
  std::vector<Json> heap_;
  std::uint64_t matched_ = 0;
};

// Lines as they are asked for; an array has its commas.
class Lines {
 public:
  explicit Lines(const CacheQuestion& question) : is_array_(question.is_json) {}
  void write(const Json& line) {
    if (is_array_) write_output(has_begun_ ? ",\n " : "[");
    has_begun_ = true;
    std::string text = json_line(line);
    if (is_array_) text.pop_back();
    write_output(text);
  }
  void finish() const {
    if (is_array_) write_output(has_begun_ ? "]\n" : "[]\n");
  }

 private:
  const bool is_array_;
  bool has_begun_ = false;
};

// As they are found: nothing is held.
int stream(const CacheQuestion& question) {
  Lines lines(question);
  std::uint64_t left = question.limit.value_or(std::numeric_limits<std::uint64_t>::max());
  CacheScan scan(question, "listing");
  scan.each_match([&](const storage::DiskRow& row) {
    lines.write(row_view(row, scan.now_ms()));
    return --left != 0;
  });
  lines.finish();
  return kOk;
}

}  // namespace

int list_directory(const CacheQuestion& question) {
  const bool is_table = !question.is_json && !question.is_ndjson;
  if (!is_table && question.sort.empty()) return stream(question);
  const std::uint64_t all = std::numeric_limits<std::uint64_t>::max();
  FirstOfAll first(question.sort.empty() ? "url" : question.sort,
                   question.limit.value_or(is_table ? kListUsually : all));
  CacheScan scan(question, "listing");
  scan.each_match([&](const storage::DiskRow& row) {
    first.add(row_view(row, scan.now_ms()));
    return true;
  });
  const std::uint64_t matched = first.matched();
  const auto sorted = std::move(first).sorted();
  if (is_table) {
    write_output(cache_list_head(false));
    for (const Json& line : sorted) write_output(cache_list_line(line, width_of_output()));
    if (matched > sorted.size()) {
      write_output(std::to_string(sorted.size()) + " of " + std::to_string(matched) + ": --limit shows more\n");
    }
    return kOk;
  }
  Lines lines(question);
  for (const Json& line : sorted) lines.write(line);
  lines.finish();
  return kOk;
}

}  // namespace rproxy::cli
