#include "files/media_type.h"

#include <algorithm>
#include <array>

#include "http/characters.h"
#include "http/fields.h"

namespace rproxy::files {
namespace {

struct Known {
  std::string_view extension;
  std::string_view type;
};

// What the web is made of, sorted by extension.
constexpr std::array kKnown = {
    Known{"7z", "application/x-7z-compressed"},
    Known{"aac", "audio/aac"},
    Known{"apk", "application/vnd.android.package-archive"},
    Known{"apng", "image/apng"},
    Known{"atom", "application/atom+xml"},
    Known{"avif", "image/avif"},
    Known{"bmp", "image/bmp"},
    Known{"br", "application/x-brotli"},
    Known{"bz2", "application/x-bzip2"},
    Known{"cjs", "text/javascript; charset=utf-8"},
    Known{"css", "text/css; charset=utf-8"},
    Known{"csv", "text/csv; charset=utf-8"},
    Known{"deb", "application/vnd.debian.binary-package"},
    Known{"doc", "application/msword"},
    Known{"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    Known{"eot", "application/vnd.ms-fontobject"},
    Known{"epub", "application/epub+zip"},
    Known{"flac", "audio/flac"},
    Known{"geojson", "application/geo+json"},
    Known{"gif", "image/gif"},
    Known{"gz", "application/gzip"},
    Known{"heic", "image/heic"},
    Known{"htm", "text/html; charset=utf-8"},
    Known{"html", "text/html; charset=utf-8"},
    Known{"ico", "image/vnd.microsoft.icon"},
    Known{"ics", "text/calendar; charset=utf-8"},
    Known{"jpeg", "image/jpeg"},
    Known{"jpg", "image/jpeg"},
    Known{"js", "text/javascript; charset=utf-8"},
    Known{"json", "application/json"},
    Known{"jsonld", "application/ld+json"},
    Known{"jxl", "image/jxl"},
    Known{"log", "text/plain; charset=utf-8"},
    Known{"m3u8", "application/vnd.apple.mpegurl"},
    Known{"m4a", "audio/mp4"},
    Known{"m4v", "video/mp4"},
    Known{"map", "application/json"},
    Known{"md", "text/markdown; charset=utf-8"},
    Known{"mid", "audio/midi"},
    Known{"mjs", "text/javascript; charset=utf-8"},
    Known{"mkv", "video/matroska"},
    Known{"mov", "video/quicktime"},
    Known{"mp3", "audio/mpeg"},
    Known{"mp4", "video/mp4"},
    Known{"mpd", "application/dash+xml"},
    Known{"mpeg", "video/mpeg"},
    Known{"odp", "application/vnd.oasis.opendocument.presentation"},
    Known{"ods", "application/vnd.oasis.opendocument.spreadsheet"},
    Known{"odt", "application/vnd.oasis.opendocument.text"},
    Known{"oga", "audio/ogg"},
    Known{"ogg", "audio/ogg"},
    Known{"ogv", "video/ogg"},
    Known{"opus", "audio/ogg"},
    Known{"otf", "font/otf"},
    Known{"pdf", "application/pdf"},
    Known{"png", "image/png"},
    Known{"ppt", "application/vnd.ms-powerpoint"},
    Known{"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    Known{"rar", "application/vnd.rar"},
    Known{"rss", "application/rss+xml"},
    Known{"rtf", "application/rtf"},
    Known{"svg", "image/svg+xml"},
    Known{"svgz", "image/svg+xml"},
    Known{"tar", "application/x-tar"},
    Known{"tif", "image/tiff"},
    Known{"tiff", "image/tiff"},
    Known{"toml", "application/toml"},
    Known{"ts", "video/mp2t"},
    Known{"ttf", "font/ttf"},
    Known{"txt", "text/plain; charset=utf-8"},
    Known{"vtt", "text/vtt; charset=utf-8"},
    Known{"wasm", "application/wasm"},
    Known{"wav", "audio/wav"},
    Known{"weba", "audio/webm"},
    Known{"webm", "video/webm"},
    Known{"webmanifest", "application/manifest+json"},
    Known{"webp", "image/webp"},
    Known{"woff", "font/woff"},
    Known{"woff2", "font/woff2"},
    Known{"xhtml", "application/xhtml+xml"},
    Known{"xls", "application/vnd.ms-excel"},
    Known{"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    Known{"xml", "text/xml; charset=utf-8"},
    Known{"xz", "application/x-xz"},
    Known{"yaml", "application/yaml"},
    Known{"yml", "application/yaml"},
    Known{"zip", "application/zip"},
    Known{"zst", "application/zstd"},
};

constexpr std::size_t kExtensionMax = 16;

}  // namespace

std::string_view media_type_of(std::string_view name, const std::vector<std::pair<std::string, std::string>>& own) {
  constexpr std::string_view kUnknown = "application/octet-stream";
  static_assert(std::ranges::is_sorted(kKnown, {}, &Known::extension));
  name.remove_prefix(name.rfind('/') + 1);  // npos + 1 is 0
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos) return kUnknown;
  const auto written = name.substr(dot + 1);
  for (const auto& [extension, type] : own) {
    const std::string_view wanted = extension;
    if (http::equals_ignoring_case(wanted.substr(wanted.starts_with('.') ? 1 : 0), written)) return type;
  }
  std::array<char, kExtensionMax> lower{};
  if (written.empty() || written.size() > lower.size()) return kUnknown;
  std::ranges::transform(written, lower.begin(), http::to_lower);
  const std::string_view extension(lower.data(), written.size());
  const auto* const found = std::ranges::lower_bound(kKnown, extension, {}, &Known::extension);
  return found != kKnown.end() && found->extension == extension ? found->type : kUnknown;
}

}  // namespace rproxy::files
