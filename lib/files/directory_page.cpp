#include "files/directory_page.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <iterator>
#include <memory>

#include "base/utf8.h"
#include "files/name.h"
#include "files/open_file.h"

namespace rproxy::files {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

// As it would be opened: a link shows what it leads to, where it is followed.
bool inspect_entry(const Root& root, const std::string& path, DirectoryEntry& entry) {
  const Fd opened(root.open_below(path, Root::Wait::kMay, O_PATH));
  if (!opened) return false;
  const auto found = inspect(opened.get(), true);
  entry.is_directory = S_ISDIR(found.mode);
  entry.size = entry.is_directory ? 0 : found.state.size;
  entry.modified = found.state.modified();
  return entry.is_directory || S_ISREG(found.mode);
}

// A name may be of any bytes.
template <typename Put>
void for_each_character(std::string_view text, Put put) {
  while (!text.empty()) {
    const auto character = first_character(text);
    const bool is_sound = character.size != 0 && character.code >= 0x20 && character.code != 0x7f;
    put(is_sound ? text.substr(0, character.size) : std::string_view("\xef\xbf\xbd"));
    text.remove_prefix(std::max<std::size_t>(character.size, 1));
  }
}

std::string html_text(std::string_view text) {
  std::string out;
  for_each_character(text, [&out](std::string_view character) {
    switch (character.front()) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += character;
    }
  });
  return out;
}

std::string json_text(std::string_view text) {
  std::string out;
  for_each_character(text, [&out](std::string_view character) {
    if (character == "\"" || character == "\\") out += '\\';
    out += character;
  });
  return out;
}

std::string time_text(std::int64_t seconds) {
  const std::time_t time = seconds;
  std::tm parts{};
  if (::gmtime_r(&time, &parts) == nullptr) return "?";
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", parts);
}

}  // namespace

Directory read_directory(const Root& root, const std::string& name, bool hidden) {
  Directory out;
  Fd opened(root.open_below(name, Root::Wait::kMay, O_RDONLY | O_DIRECTORY));
  const std::unique_ptr<DIR, CloseDirectory> stream(opened ? ::fdopendir(opened.get()) : nullptr);
  if (stream == nullptr) {
    out.error = errno;
    return out;
  }
  opened.release();
  while (const dirent* read = ::readdir(stream.get())) {
    DirectoryEntry entry;
    entry.name = static_cast<const char*>(read->d_name);
    if (!name_of("/" + escaped(entry.name), hidden)) continue;
    out.is_cut = out.entries.size() == kEntriesMax;
    if (out.is_cut) break;
    if (inspect_entry(root, name + entry.name, entry)) out.entries.push_back(std::move(entry));
  }
  std::ranges::sort(out.entries, [](const DirectoryEntry& a, const DirectoryEntry& b) {
    return a.is_directory != b.is_directory ? a.is_directory : a.name < b.name;
  });
  return out;
}

std::string html_of(const Directory& directory, std::string_view title) {
  const std::string shown = html_text(title);
  std::string out = fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n<title>Index of {0}</title>\n"
      "<style>body{{font:1rem/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;"
      "color-scheme:light dark}}table{{border-spacing:1rem .2rem}}td:nth-child(2){{text-align:right}}</style>\n"
      "<h1>Index of {0}</h1>\n<table>\n",
      shown);
  auto put = std::back_inserter(out);
  if (title != "/") fmt::format_to(put, "<tr><td><a href=\"../\">../</a>\n");
  for (const auto& entry : directory.entries) {
    const std::string_view slash = entry.is_directory ? "/" : "";
    fmt::format_to(put, "<tr><td><a href=\"./{}{}\">{}{}</a><td>{}<td>{}\n", escaped(entry.name), slash,
                   html_text(entry.name), slash, entry.is_directory ? "" : std::to_string(entry.size),
                   time_text(entry.modified));
  }
  out += "</table>\n";
  if (directory.is_cut) fmt::format_to(put, "<p>There are more than {}.</p>\n", kEntriesMax);
  out += "</html>\n";
  return out;
}

std::string json_of(const Directory& directory) {
  std::string out = "[";
  auto put = std::back_inserter(out);
  for (const auto& entry : directory.entries) {
    fmt::format_to(put, "{}\n{{\"name\":\"{}\",\"type\":\"{}\",", out.size() == 1 ? "" : ",", json_text(entry.name),
                   entry.is_directory ? "directory" : "file");
    if (!entry.is_directory) fmt::format_to(put, "\"size\":{},", entry.size);
    fmt::format_to(put, "\"mtime\":\"{}\"}}", time_text(entry.modified));
  }
  out += "\n]\n";
  return out;
}

}  // namespace rproxy::files
