#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "config/schema.h"
#include "config/text.h"
#include "files/name.h"
#include "http/characters.h"

namespace rproxy::config {
namespace {

using F = files::Options;

constexpr std::array kSymlinks{"beneath", "follow", "refuse"};
constexpr std::array kPrecompressed{"zstd", "br", "gzip"};

void decode_root(Problems& problems, const Node& node, F& out) {
  if (!expect(problems, node, Node::Kind::kString)) return;
  if (node.text.empty()) {
    problems.error("RP1005", node.at, "root is empty", "root = \"/srv/www\"");
    return;
  }
  decode_file(problems, node, out.root);
}

// Below the root, by the way that requests take.
bool names_a_file(std::string_view path) {
  const auto name = files::name_of(path, true);
  return name && !name->empty() && !name->ends_with('/');
}

void decode_index(Problems& problems, const Node& node, F& out) {
  out.index.clear();
  decode_value(problems, node, out.index);
  const auto check = [&problems](const Node& item) {
    if (!item.is(Node::Kind::kString) || item.is_broken || names_a_file("/" + files::escaped(item.text))) return;
    problems.error("RP1004", item.at, fmt::format("not a file's name: {}", shown(item)),
                   "the name alone, such as \"index.html\"");
  };
  check(node);
  for (const Node& item : node.items) check(item);
}

void decode_fallback(Problems& problems, const Node& node, F& out) {
  decode_value(problems, node, out.fallback);
  if (!node.is(Node::Kind::kString) || node.is_broken || node.text.empty()) return;
  const bool is_plain = node.text.find('%') == std::string::npos;
  if (is_plain && names_a_file(node.text)) return;
  problems.error("RP1004", node.at, fmt::format("not a file's path below root: {}", shown(node)),
                 "such as \"/index.html\"");
}

void decode_precompressed(Problems& problems, const Node& node, F& out) {
  if (node.is(Node::Kind::kBool)) {
    out.precompressed.clear();
    if (node.flag) out.precompressed = {http::Coding::kZstd, http::Coding::kBrotli, http::Coding::kGzip};
    return;
  }
  if (!expect(problems, node, Node::Kind::kArray, "an array such as [\"zstd\", \"br\", \"gzip\"], true or false"))
    return;
  out.precompressed.clear();
  for (const Node& item : node.items) {
    const int word = decode_word(problems, item, {kPrecompressed.begin(), kPrecompressed.end()});
    if (word < 0) continue;
    const auto coding = *http::coding_of(kPrecompressed[static_cast<std::size_t>(word)]);
    if (std::ranges::find(out.precompressed, coding) == out.precompressed.end()) {
      out.precompressed.push_back(coding);
    } else {
      problems.error("RP1009", item.at, fmt::format("{} is there twice", shown(item)), "keep one");
    }
  }
}

void decode_cache_control(Problems& problems, const Node& node, F& out) {
  decode_value(problems, node, out.cache_control);
  if (!http::is_field_text(out.cache_control)) {
    problems.error("RP1004", node.at, "a header value has no control characters",
                   "such as cache_control = \"public, max-age=86400\"");
  }
}

void decode_types(Problems& problems, const Node& node, F& out) {
  if (!expect(problems, node, Node::Kind::kTable, "a table such as { \".x\" = \"text/x\" }")) return;
  for (const Member& member : node.members) {
    std::string type;
    decode_value(problems, member.value, type);
    std::string_view extension = member.key;
    if (extension.starts_with('.')) extension.remove_prefix(1);
    if (extension.empty() || extension.find_first_of("./") != std::string_view::npos) {
      problems.error("RP1004", member.at, fmt::format("not a file's extension: {}", quote_toml(cut_text(member.key))),
                     "what stands behind a name's last dot: \".wasm\"");
    }
    const bool is_written = member.value.is(Node::Kind::kString) && !member.value.is_broken;
    if (is_written && (!http::is_field_text(type) || type.find('/') == std::string::npos)) {
      problems.error("RP1004", member.value.at, fmt::format("not a media type: {}", shown(member.value)),
                     "such as \"application/wasm\", or \"text/plain; charset=utf-8\"");
    }
    out.types.emplace_back(member.key, std::move(type));
  }
}

constexpr Key<F> kFiles[] = {
    special<F>("root", "path", "the directory whose files are served, each by its path", decode_root),
    {"index", "strings", "what a directory shows, the first one there is", decode_index,
     [](const F& o) { return render_value(o.index); }},
    {"fallback", "string",
     "in place of what is not there, answered with 200: \"/index.html\" for an application with routes of its own",
     decode_fallback, [](const F& o) { return render_value(o.fallback); }},
    key<&F::autoindex>("autoindex", "list directories without an index, as HTML or JSON"),
    out_of<F>(kPrecompressed,
              special<F>("precompressed", "boolean or array of strings",
                         "files beside others that are those compressed (.zst, .br, .gz), the preferred first; given "
                         "to who accepts them unless older; true: all of them",
                         decode_precompressed)),
    {"cache_control", "string", "Cache-Control of files", decode_cache_control,
     [](const F& o) { return render_value(o.cache_control); }},
    key<&F::hidden>("hidden", "serve what begins with a dot, too, such as .git and .env; .well-known is served anyway"),
    one_of<kSymlinks, &F::symlinks>("symlinks",
                                    "\"beneath\": followed where they stay below root; \"follow\" wherever they lead; "
                                    "\"refuse\" none"),
    special<F>("types", "table of strings", "media types by extension, before those known: \".x\" = \"text/x\"",
               decode_types),
};

}  // namespace

Keys<files::Options> files_keys() { return kFiles; }

void decode_files(Problems& problems, const Node& node, RouteDraft& out) {
  F& options = out.files.emplace();
  if (node.is(Node::Kind::kString)) {
    decode_root(problems, node, options);
    return;
  }
  decode_table<F>(problems, node, "files", kFiles, options);
  if (node.is(Node::Kind::kTable) && lacks(node, "root", names_of(files_keys())))
    problems.error("RP1005", node.at, "files need root", "root = \"/srv/www\"");
}

}  // namespace rproxy::config
