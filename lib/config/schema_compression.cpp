// The keys of compression: what a route does, and [compression], what all of it may cost.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "codec/encoder.h"
#include "config/schema.h"
#include "filter/dictionaries.h"
#include "http/media_types.h"

namespace rproxy::config {
namespace {

using O = filter::CompressionOptions;
using L = filter::CompressionLimits;
using http::Coding;

// Those that a client need not have a dictionary for.
constexpr std::array kCodings{Coding::kZstd, Coding::kBrotli, Coding::kGzip, Coding::kDeflate};

std::vector<std::string> coding_names() {
  std::vector<std::string> names;
  for (const Coding coding : kCodings) names.emplace_back(to_string(coding));
  return names;
}

void add_coding(Problems& problems, const Node& node, O& out) {
  const int word = decode_word(problems, node, coding_names());
  if (word < 0) return;
  const Coding coding = kCodings.at(static_cast<std::size_t>(word));
  if (std::ranges::find(out.codings, coding) == out.codings.end()) out.codings.push_back(coding);
}

// One, or an array of them.
void decode_codings(Problems& problems, const Node& node, O& out) {
  constexpr const char* kRemedy = "such as [\"zstd\", \"br\", \"gzip\"], the most welcome first";
  if (node.is(Node::Kind::kString)) {
    out.codings.clear();
    return add_coding(problems, node, out);
  }
  if (!expect(problems, node, Node::Kind::kArray, "a coding or an array of them", kRemedy)) return;
  if (node.items.empty() && node.is_whole()) {
    problems.error("RP1004", node.at, "no coding is left", "compress = false, or name one");
  }
  out.codings.clear();
  for (const Node& item : node.items) add_coding(problems, item, out);
}

std::string render_codings(const O& from) {
  std::vector<std::string> names;
  for (const Coding coding : from.codings) names.emplace_back(to_string(coding));
  return render_value(names);
}

void decode_types(Problems& problems, const Node& node, O& out) {
  std::vector<std::string> types;
  decode_value(problems, node, types);
  for (const std::string& type : types) {
    if (http::is_media_pattern(type)) continue;
    problems.error("RP1004", node.at, fmt::format("no type: {}", is_secret(node) ? shown(node) : quote_toml(type)),
                   "\"text/html\", \"text/*\" or \"*+json\"");
    return;
  }
  out.types = std::move(types);
}

template <Coding Which, std::int64_t Min, std::int64_t Max>
constexpr Key<O> level(std::string_view name, std::string_view meaning) {
  Key<O> made{name, "integer", meaning,
              [](Problems& problems, const Node& node, O& out) {
                const auto got = decode_integer(problems, node, Min, Max);
                if (got) out.levels.at(static_cast<std::size_t>(Which)) = static_cast<int>(*got);
              },
              nullptr};
  made.bounds = Bounds{Min, Max};
  return made;
}

constexpr Key<O> kLevels[] = {
    level<Coding::kZstd, 1, 19>("zstd", "default: 1"),
    level<Coding::kBrotli, 0, 11>("br", "default: 4"),
    level<Coding::kGzip, 1, 9>("gzip", "default: 1; up to 2 by ISA-L, else by zlib"),
    level<Coding::kDeflate, 1, 9>("deflate", "default: 1; as gzip"),
};

using D = filter::DictionaryOptions;

void decode_dictionary_match(Problems& problems, const Node& node, D& out) {
  decode_value(problems, node, out.match);
  if (filter::is_dictionary_match(out.match) || !node.is(Node::Kind::kString) || node.is_broken) return;
  problems.error("RP1004", node.at, fmt::format("no pattern of paths: {}", shown(node)), "such as \"/app-*.js\"");
}

void decode_dictionary_id(Problems& problems, const Node& node, D& out) {
  decode_value(problems, node, out.id);
  const bool is_good = out.id.size() <= 1024 && std::ranges::all_of(out.id, [](char c) {
                         return c >= ' ' && c < '\x7f' && c != '"' && c != '\\';
                       });
  if (!is_good)
    problems.error("RP1004", node.at, fmt::format("no id: {}", shown(node)), "letters, digits and the like");
}

constexpr Key<D> kDictionary[] = {
    special<D>("match", "string", "paths that an answer is a dictionary for, such as \"/app-*.js\"; default: its own",
               decode_dictionary_match),
    special<D>("id", "string", "told to clients, who say it again", decode_dictionary_id),
    sized<1, std::uint64_t{16} << 20, &D::size_max>("max_size", "larger answers are no dictionaries"),
};

void decode_dictionary(Problems& problems, const Node& node, O& out) {
  out.dictionary.enabled = true;
  if (node.is(Node::Kind::kBool)) {
    out.dictionary.enabled = node.flag;
  } else if (expect(problems, node, Node::Kind::kTable, "a boolean or a table",
                    "dictionary = { match = \"/app-*.js\" }")) {
    decode_table<D>(problems, node, "dictionary", kDictionary, out.dictionary);
  }
}

constexpr Key<O> kCompress[] = {
    {"codings", "strings", "\"zstd\", \"br\", \"gzip\", \"deflate\": those on offer, the most welcome first",
     decode_codings, render_codings},
    special<O>("types", "strings", "\"text/*\", \"*+json\": what is compressed; default: all that is known to shrink",
               decode_types),
    key<&O::min_length>("min_length", "shorter contents stay as they are"),
    special<O>("level", "table", "of each coding, such as { zstd = 3, br = 4, gzip = 6 }: higher is smaller and slower",
               [](Problems& p, const Node& n, O& o) { decode_table<O>(p, n, "level", kLevels, o); }),
    special<O>("dictionary", "boolean or table",
               "answers are dictionaries for later ones (RFC 9842): a newer version costs what is new in it",
               decode_dictionary),
    sized<0, codec::kPaddingMax, &O::padding>(
        "padding",
        "up to so many bytes that mean nothing, at random, in zstd, br and gzip: a length tells less (BREACH)"),
    key<&O::offload>("offload", "ask upstreams for contents as they are: Accept-Encoding is not sent on"),
    key<&O::decompress>("decompress", "decode for clients that don't take what the upstream has sent"),
    key<&O::decompress_requests>("decompress_requests", "decode what clients send, so that upstreams need not"),
};

constexpr Key<L> kLimits[] = {
    key<&L::memory>("memory",
                    "of each worker, for contents that are being coded; from half of it on with small windows; what "
                    "comes beyond is sent as it is, or refused "
                    "with 503 where it is a request to be decoded"),
    key<&L::dictionaries>("dictionaries", "for all dictionaries, with what is made of them"),
    lasting<&L::slow_at>("slow_at", "from such a delay of other requests on levels are the lowest"),
    lasting<&L::stop_at>("stop_at", "and from such a one on contents are sent as they are"),
    ranged<2, 1'000'000, &L::ratio_max>("max_ratio", "that content may grow by as it is decoded, beyond the first MiB"),
};

}  // namespace

Keys<filter::CompressionOptions> compress_keys() { return kCompress; }
Keys<filter::CompressionOptions> compress_level_keys() { return kLevels; }
Keys<filter::DictionaryOptions> compress_dictionary_keys() { return kDictionary; }
Keys<filter::CompressionLimits> compression_keys() { return kLimits; }

void decode_compress(Problems& problems, const Node& node, O& out) {
  out.enabled = true;
  if (node.is(Node::Kind::kBool)) {
    out.enabled = node.flag;
  } else if (node.is(Node::Kind::kString) || node.is(Node::Kind::kArray)) {
    decode_codings(problems, node, out);
  } else if (expect(problems, node, Node::Kind::kTable, "a boolean, an array of codings or a table",
                    "compress = true, or { codings = [\"zstd\", \"gzip\"] }")) {
    decode_table<O>(problems, node, "compress", kCompress, out);
  }
}

std::string render_compress(const O& from) { return from.enabled ? "true" : "false"; }

}  // namespace rproxy::config
