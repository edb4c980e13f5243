#include "config/source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>

#include "base/fd.h"
#include "config/document.h"

namespace rproxy::config {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::size_t kFileMax = 16 << 20;
constexpr std::size_t kIncludeDepthMax = 16;
constexpr std::size_t kSecretMax = 64 << 10;

enum class Kinds : std::uint8_t { kAny, kRegular };

// Nothing where the file can't be read; `why` says so. Where only regular files will do, a pipe nobody writes to holds up nothing.
std::optional<std::string> read_file(const std::string& path, Kinds kinds, std::size_t max, std::string& why,
                                     std::string& identity) {
  const bool takes_any = kinds == Kinds::kAny;
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | (takes_any ? 0 : O_NONBLOCK)));
  struct stat status {};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) {
    why = std::strerror(errno);
    return std::nullopt;
  }
  identity = identity_of(status);
  if (S_ISDIR(status.st_mode) || (!takes_any && !S_ISREG(status.st_mode))) {
    why = S_ISDIR(status.st_mode) ? "is a directory" : "not a regular file";
    return std::nullopt;
  }
  std::string text;
  char block[16384];
  while (true) {
    const ssize_t got = ::read(file.get(), block, sizeof block);
    if (got == 0) return text;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      why = std::strerror(errno);
      return std::nullopt;
    }
    text.append(block, static_cast<std::size_t>(got));
    if (text.size() > max) {
      why = fmt::format("larger than {} bytes", max);
      return std::nullopt;
    }
  }
}

std::shared_ptr<const SourceFile> make_source(const std::string& name, const std::string& text) {
  auto file = std::make_shared<SourceFile>();
  file->name = name;
  file->directory = std::filesystem::path(name).parent_path().string();
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    file->lines.emplace_back(text, begin, end - begin);
    if (!file->lines.back().empty() && file->lines.back().back() == '\r') file->lines.back().pop_back();
    begin = end + 1;
  }
  return file;
}

// One file has one, whatever links and dots lead to it.
std::string real_path(const std::string& path) {
  std::error_code error;
  const auto real = std::filesystem::canonical(path, error);
  return error ? path : real.string();
}

// What a message may tell of `path`, which came of `node`.
const std::string& as_written(const Node& node, const std::string& path) { return node.raw.empty() ? path : node.raw; }

class Reader {
 public:
  Reader(const Environment& environment, Problems& problems, bool may_read, Sources* sources = nullptr)
      : environment_(environment), problems_(problems), may_read_(may_read), sources_(sources) {}

  std::optional<Node> read(const std::string& path, const Node* from, std::size_t depth) {
    std::string why;
    auto text = take_file(path, from == nullptr ? Kinds::kAny : Kinds::kRegular, kFileMax, why);
    if (!text) {
      Place place;
      if (from != nullptr) {
        place = from->at;
      } else {
        place.file = make_source(path, {});
      }
      problems_.error("RP1008", place,
                      fmt::format("can't read {}: {}", from != nullptr ? as_written(*from, path) : path, why),
                      "check the path and its permissions");
      problems_.set_incomplete();
      return std::nullopt;
    }
    return parse(path, std::move(*text), depth);
  }

  std::optional<Node> parse(const std::string& name, std::string text, std::size_t depth) {
    if (text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
    auto tree = parse_document(make_source(name, text), text, problems_.list());
    if (!tree) {
      problems_.set_incomplete();
      return std::nullopt;
    }
    expand(*tree);
    if (Node* include = tree->find("include")) {
      const Node wanted = std::move(*include);
      std::erase_if(tree->members, [](const Member& member) { return member.key == "include"; });
      open_.push_back(real_path(name));
      take_includes(*tree, wanted, depth);
      open_.pop_back();
    }
    return tree;
  }

 private:
  std::optional<std::string> take_file(const std::string& path, Kinds kinds, std::size_t max, std::string& why) {
    std::string identity;
    auto text = read_file(path, kinds, max, why, identity);
    if (sources_ != nullptr) sources_->files.push_back({path, identity});
    return text;
  }

  void take_includes(Node& tree, const Node& wanted, std::size_t depth) {
    if (!may_read_) return;
    std::vector<const Node*> patterns;
    if (wanted.is(Node::Kind::kArray)) {
      for (const Node& item : wanted.items) patterns.push_back(&item);
    } else {
      patterns.push_back(&wanted);
    }
    for (const Node* pattern : patterns) {
      if (pattern->is_broken) {
        problems_.set_incomplete();
      } else if (!pattern->is(Node::Kind::kString)) {
        problems_.error("RP1003", pattern->at, fmt::format("include takes strings, not {}", kind_name(pattern->kind)),
                        "include = [\"conf.d/*.toml\"]");
      } else if (depth == kIncludeDepthMax) {
        problems_.error("RP1008", pattern->at, "includes go deeper than 16 files",
                        "include from fewer files; one that includes itself never ends");
      } else {
        take_include(tree, *pattern, depth);
      }
    }
  }

  void take_include(Node& tree, const Node& pattern, std::size_t depth) {
    const std::string path = resolve_path(pattern.at, pattern.text);
    const auto found = find_files(path);
    if (sources_ != nullptr) sources_->patterns.push_back({path, found});
    if (found.empty()) {
      report_nothing_found(pattern, path);
      return;
    }
    for (const std::string& name : found) {
      if (std::ranges::find(open_, real_path(name)) != open_.end()) {
        problems_.error("RP1008", pattern.at, fmt::format("{} includes itself", as_written(pattern, name)),
                        "delete this include");
        continue;
      }
      if (auto other = read(name, &pattern, depth + 1)) merge(tree, std::move(*other), "");
    }
  }

  void report_nothing_found(const Node& pattern, const std::string& path) {
    if (path.find_first_of("*?[") != std::string::npos) {
      // "conf.d/*.toml" may well be empty, or in another directory than was thought.
      problems_.warning("RP1011", pattern.at, fmt::format("no file is named {}", as_written(pattern, path)),
                        "relative paths begin at the directory of the file they stand in");
      return;
    }
    problems_.error("RP1008", pattern.at, fmt::format("can't read {}: no such file", as_written(pattern, path)),
                    "check the path");
    problems_.set_incomplete();
  }

  // Tables unite, arrays append; one value set twice is a mistake somewhere.
  void merge(Node& into, Node from, const std::string& path) {
    for (Member& member : from.members) {
      Node* known = into.find(member.key);
      const std::string name = path.empty() ? member.key : path + "." + member.key;
      if (known == nullptr) {
        into.members.push_back(std::move(member));
      } else if (known->is(Node::Kind::kTable) && member.value.is(Node::Kind::kTable)) {
        merge(*known, std::move(member.value), name);
      } else if (known->is(Node::Kind::kArray) && member.value.is(Node::Kind::kArray)) {
        std::ranges::move(member.value.items, std::back_inserter(known->items));
      } else {
        problems_.error("RP1009", member.value.at,
                        fmt::format("{} is set already, at {}:{}", name, known->at.file->name, known->at.line),
                        "keep one of the two");
      }
    }
  }

  void expand(Node& node) {
    if (node.is(Node::Kind::kString)) expand_text(node);
    for (Node& item : node.items) expand(item);
    for (Member& member : node.members) expand(member.value);
  }

  void expand_text(Node& node) {
    if (node.text.find('$') == std::string::npos) return;
    const std::string text = std::move(node.text);
    node.raw = text;
    node.text.clear();
    for (std::size_t at = 0; at < text.size();) {
      if (text[at] != '$' || at + 1 == text.size() || (text[at + 1] != '$' && text[at + 1] != '{')) {
        node.text += text[at++];
      } else if (text[at + 1] == '$') {
        node.text += '$';
        at += 2;
      } else {
        const auto end = text.find('}', at);
        if (end == std::string::npos) {
          problems_.error("RP1004", node.at, "${ without }", "write $$ for a dollar sign itself");
          node.is_broken = true;
          return;
        }
        const auto value = value_of(text.substr(at + 2, end - at - 2), node.at);
        if (!value) node.is_broken = true;
        node.text += value.value_or("");
        at = end + 1;
      }
    }
  }

  // Nothing where there is none, which is reported.
  std::optional<std::string> value_of(const std::string& name, const Place& at) {
    constexpr std::string_view kFile = "file:";
    if (name.starts_with(kFile)) return secret(resolve_path(at, name.substr(kFile.size())), at);
    const auto fallback = name.find(":-");
    const std::string variable = name.substr(0, fallback);
    const auto value = environment_(variable);
    // As in a shell, ":-" serves for what is empty, too.
    if (value && (!value->empty() || fallback == std::string::npos)) return *value;
    if (fallback != std::string::npos) return name.substr(fallback + 2);
    problems_.error("RP1007", at, fmt::format("environment variable {} is not set", variable),
                    fmt::format("set it, or give a default: ${{{}:-value}}", variable));
    return std::nullopt;
  }

  std::optional<std::string> secret(const std::string& path, const Place& at) {
    std::string why = "no files here";
    auto text = may_read_ ? take_file(path, Kinds::kRegular, kSecretMax, why) : std::nullopt;
    if (!text) {
      problems_.error("RP1008", at, fmt::format("can't read {}: {}", path, why), "check the path and its permissions");
      return std::nullopt;
    }
    while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
    return text;
  }

  const Environment& environment_;
  Problems& problems_;
  bool may_read_;
  Sources* sources_;               // may be null
  std::vector<std::string> open_;  // files being read, by their real paths, the outermost first
};

}  // namespace

Environment process_environment() {
  return [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
}

std::string resolve_path(const Place& at, const std::string& path) {
  if (path.empty() || path.front() == '/' || !at.file || at.file->directory.empty()) return path;
  return (std::filesystem::path(at.file->directory) / path).string();
}

std::optional<Node> read_tree(const std::string& path, const Environment& environment, Problems& problems,
                              Sources* sources) {
  return Reader(environment, problems, true, sources).read(path, nullptr, 0);
}

std::optional<Node> read_text(const std::string& name, const std::string& text, const Environment& environment,
                              Problems& problems) {
  return Reader(environment, problems, false).parse(name, text, 0);
}

}  // namespace rproxy::config
