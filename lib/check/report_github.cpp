#include <fmt/format.h>

#include "check/report.h"
#include "config/text.h"

namespace rproxy::check {
namespace {

// A workflow command ends with its line, and a property with a comma or colon.
std::string escape(std::string_view text, bool is_property) {
  std::string out;
  for (const char c : config::printable(text)) {
    const bool is_special = c == '%' || c == '\r' || c == '\n' || (is_property && (c == ':' || c == ','));
    out += is_special ? fmt::format("%{:02X}", static_cast<unsigned char>(c)) : std::string(1, c);
  }
  return out;
}

}  // namespace

std::string render_github(std::span<const Report> reports) {
  std::string out;
  for (const Report& report : reports) {
    for (const auto& finding : report.findings) {
      const auto& at = finding.at;
      const std::string place = at.line == 0 ? "" : fmt::format(",line={},col={}", at.line, at.column);
      out += fmt::format("::{} file={}{},title={}::{} ({})\n", severity_name(finding.severity), escape(at.file, true),
                         place, finding.id, escape(finding.message, false), escape(finding.remedy, false));
    }
  }
  return out;
}

}  // namespace rproxy::check
