#include "server/change_summary.h"

#include <fmt/format.h>

#include <map>
#include <vector>

namespace rproxy::server {
namespace {

// Lines by the section they stand in; of sections that come more than once, each with its sub-sections is one text.
struct Outline {
  std::map<std::string, std::string, std::less<>> sections;
  std::map<std::string, std::map<std::string, int>> lists;  // of "routes", how often each text
};

// Without the comment that tells where a value is from: a line that has only moved is the same.
std::string_view value_of(std::string_view line) {
  line = line.substr(0, line.rfind("  # "));
  return line.substr(0, line.find_last_not_of(' ') + 1);
}

Outline outline_of(std::string_view text) {
  Outline out;
  std::string list;
  std::string item;
  std::string* into = nullptr;
  const auto end_item = [&] {
    if (!list.empty()) ++out.lists[list][item];
    item.clear();
    list.clear();
  };
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.empty()) continue;
    const bool begins_item = line.starts_with("[[");
    const std::size_t begin = begins_item ? 2 : 1;
    const auto name = line.substr(begin, line.find(']') - begin);
    if (line.starts_with('[') && !list.empty() && name.starts_with(list + ".")) {
      item += fmt::format("{}\n", line);
    } else if (begins_item && name.find('.') == std::string_view::npos) {
      end_item();
      list = name;
      into = &item;
    } else if (line.starts_with('[')) {
      end_item();
      // What stands in a list within a section is that section's.
      if (!begins_item) into = &out.sections[std::string(name)];
      if (begins_item && into != nullptr) *into += fmt::format("{}\n", line);
    } else if (into != nullptr) {
      *into += fmt::format("{}\n", value_of(line));
    }
  }
  end_item();
  return out;
}

// The words "[upstreams.app.pool]" and "[upstreams.app]" are about the same thing.
std::string thing_of(const std::string& section) {
  const auto first = section.find('.');
  if (first == std::string::npos || !section.starts_with("upstreams.")) return section.substr(0, first);
  const bool is_quoted = section.size() > first + 1 && section[first + 1] == '"';
  const auto end = is_quoted ? section.find('"', first + 2) : section.find('.', first + 1);
  return section.substr(0, is_quoted && end != std::string::npos ? end + 1 : end);
}

std::map<std::string, std::string> things_of(const Outline& outline) {
  std::map<std::string, std::string> out;
  for (const auto& [section, text] : outline.sections) out[thing_of(section)].append(section).append("\n").append(text);
  return out;
}

int surplus(const std::map<std::string, int>& of, const std::map<std::string, int>& over) {
  int count = 0;
  for (const auto& [text, times] : of) {
    const auto other = over.find(text);
    count += std::max(0, times - (other != over.end() ? other->second : 0));
  }
  return count;
}

}  // namespace

std::string change_summary(std::string_view before, std::string_view after) {
  const Outline old_outline = outline_of(before);
  const Outline new_outline = outline_of(after);
  const auto old_things = things_of(old_outline);
  auto new_things = things_of(new_outline);
  std::vector<std::string> words;
  for (const auto& [thing, text] : old_things) {
    const auto found = new_things.find(thing);
    if (found == new_things.end()) {
      words.push_back(thing + " removed");
    } else if (found->second != text) {
      words.push_back(thing);
    }
  }
  for (const auto& [thing, text] : new_things) {
    if (!old_things.contains(thing)) words.push_back(thing + " added");
  }
  for (const char* list : {"listeners", "routes"}) {
    const auto at = [&](const Outline& outline) {
      const auto found = outline.lists.find(list);
      return found != outline.lists.end() ? found->second : std::map<std::string, int>();
    };
    const int added = surplus(at(new_outline), at(old_outline));
    const int removed = surplus(at(old_outline), at(new_outline));
    // One that has changed is another one, in the place of what it was.
    const int changed = std::min(added, removed);
    if (changed > 0) words.push_back(fmt::format("{} {} changed", changed, list));
    if (added > changed) words.push_back(fmt::format("{} {} added", added - changed, list));
    if (removed > changed) words.push_back(fmt::format("{} {} removed", removed - changed, list));
  }
  return words.empty() ? "nothing" : fmt::format("{}", fmt::join(words, ", "));
}

}  // namespace rproxy::server
