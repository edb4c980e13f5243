// Which contents are worth compressing: a media type against patterns as an operator writes them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rproxy::http {

// "text/html" of "Text/HTML ; charset=utf-8", in the case it was written in.
std::string_view media_type(std::string_view content_type);

// "text/html", "text/*", "*/*", and by structured syntax suffix (RFC 6838 4.2.8) "*+json" or "application/*+json".
bool is_media_pattern(std::string_view pattern);

class MediaTypes {
 public:
  // Patterns that is_media_pattern() refuses match nothing.
  explicit MediaTypes(std::vector<std::string> patterns);
  // What is text at heart. Nothing that is compressed already: no images but SVG and icons, no WOFF, audio, video or archives.
  static MediaTypes compressible();

  // By type alone, without its parameters and without case. What has no type matches nothing.
  bool match(std::string_view content_type) const;

  std::span<const std::string> patterns() const { return patterns_; }

 private:
  std::vector<std::string> patterns_;  // lower case
};

}  // namespace rproxy::http
