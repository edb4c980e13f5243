#include "check/xml.h"

#include "config/text.h"

namespace rproxy::check {

std::string xml(std::string_view text) {
  std::string out;
  for (const char c : config::printable(text)) {
    switch (c) {
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
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace rproxy::check
