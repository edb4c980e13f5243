#include "check/allowances.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "base/utf8.h"
#include "check/comments.h"
#include "config/text.h"
#include "http/characters.h"

namespace rproxy::check {

using config::Diagnostic;
using config::Node;
using config::SourceFile;

namespace {

constexpr std::string_view kBlank = " \t";
constexpr std::string_view kMark = "rproxy:";
constexpr std::size_t kIdSize = 6;  // "RP2001"

void collect_files(const Node& node, std::set<std::shared_ptr<const SourceFile>>& files) {
  if (node.at.file) files.insert(node.at.file);
  for (const auto& item : node.items) collect_files(item, files);
  for (const auto& member : node.members) collect_files(member.value, files);
}

std::string_view trim_line(std::string_view text) {
  const auto begin = text.find_first_not_of(kBlank);
  return begin == text.npos ? std::string_view() : text.substr(begin);
}

std::string_view take_word(std::string_view& text) {
  const auto end = std::min(text.find_first_of(kBlank), text.size());
  const auto word = text.substr(0, end);
  text = trim_line(text.substr(end));
  return word;
}

bool is_id(std::string_view word) {
  return word.size() == kIdSize && word.starts_with("RP") &&
         std::all_of(word.begin() + 2, word.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_comment(std::string_view line) { return trim_line(line).starts_with('#'); }
bool is_header(std::string_view line) { return trim_line(line).starts_with('['); }

// Where "# rproxy:" begins within the comment at `comment`, or npos.
std::size_t find_mark(std::string_view line, std::size_t comment) {
  for (auto at = comment; at != line.npos; at = line.find('#', at + 1)) {
    if (trim_line(line.substr(at + 1)).starts_with(kMark)) return at;
  }
  return line.npos;
}

// "routes" of "[[ routes ]]".
std::string name_of_table(std::string_view header) {
  std::string name;
  for (const char c : header.substr(0, header.find(']'))) {
    if (c != '[' && c != ' ' && c != '\t') name += c;
  }
  return name;
}

// The lines that a comment on `line` counts for, both from 1.
std::pair<std::size_t, std::size_t> scope_of(const SourceFile& file, std::size_t line) {
  std::size_t first = line;
  while (first < file.lines.size() && (is_comment(file.lines[first - 1]) || trim_line(file.lines[first - 1]).empty()))
    ++first;
  std::size_t last = first;
  if (is_header(file.lines[first - 1])) {
    const std::string within = name_of_table(file.lines[first - 1]) + ".";
    const auto is_other = [&](const std::string& text) {
      return is_header(text) && !name_of_table(text).starts_with(within);
    };
    while (last < file.lines.size() && !is_other(file.lines[last])) ++last;
  }
  return {first, last};
}

}  // namespace

Allowances::Allowances(const config::Loaded& loaded, config::Problems& problems) {
  if (!loaded.tree) return;
  std::set<std::shared_ptr<const SourceFile>> files;
  collect_files(*loaded.tree, files);
  for (const auto& file : files) read_file(file, problems);
}

void Allowances::read_file(const std::shared_ptr<const SourceFile>& file, config::Problems& problems) {
  std::string_view open;
  for (std::size_t line = 1; line <= file->lines.size(); ++line) {
    const std::string& text = file->lines[line - 1];
    const auto at = find_mark(text, find_comment(text, open));
    if (at != std::string::npos) read_comment(file, line, at, problems);
  }
}

void Allowances::read_comment(const std::shared_ptr<const SourceFile>& file, std::size_t line, std::size_t at,
                              config::Problems& problems) {
  const auto before = std::string_view(file->lines[line - 1]).substr(0, at);
  const auto column = 1 + std::ranges::count_if(before, [](char c) { return !is_continuation(c); });
  const config::Place place{file, static_cast<std::uint32_t>(line), static_cast<std::uint32_t>(column)};
  std::string_view text = trim_line(std::string_view(file->lines[line - 1]).substr(at + 1)).substr(kMark.size());
  text = trim_line(text);
  const std::string_view verb = take_word(text);
  const std::string_view id = take_word(text);
  std::string what;
  if (verb != "allow") {
    what = fmt::format("\"{}\" is nothing that a comment can ask for", config::cut_text(verb));
  } else if (!is_id(id)) {
    what = "the comment allows nothing that has an id";
  } else if (text.empty()) {
    what = fmt::format("why {} is allowed is missing", id);
  }
  if (!what.empty()) {
    problems.warning("RP2901", place, what, "# rproxy: allow RP2002 why this is meant");
    return;
  }
  const auto [first, last] = scope_of(*file, line);
  allowances_.push_back({file, place, std::string(id), first, last});
}

void Allowances::apply(std::vector<Diagnostic>& findings) {
  std::erase_if(findings, [this](const Diagnostic& finding) {
    if (finding.severity == config::Severity::kError) return false;
    bool is_allowed = false;
    for (Allowance& each : allowances_) {
      if (each.id != finding.id || each.file != finding.source) continue;
      if (finding.at.line < each.first || finding.at.line > each.last) continue;
      each.is_used = is_allowed = true;
    }
    return is_allowed;
  });
}

void Allowances::report_unused(config::Problems& problems) const {
  for (const Allowance& each : allowances_) {
    if (each.is_used) continue;
    problems.warning("RP2902", each.at, fmt::format("{} is allowed here, and there is nothing to allow", each.id),
                     "delete the comment, or put it at the line that the finding names");
  }
}

}  // namespace rproxy::check
