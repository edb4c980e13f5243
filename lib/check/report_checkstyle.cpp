#include <fmt/format.h>

#include <map>

#include "check/report.h"
#include "check/xml.h"

namespace rproxy::check {

std::string render_checkstyle(std::span<const Report> reports) {
  // By the files that findings stand in, which may be included ones.
  std::map<std::string, std::string> by_file;
  for (const Report& report : reports) {
    by_file[report.file];
    for (const auto& finding : report.findings) {
      // As Checkstyle has it, line 0 is the file as a whole, and has no columns.
      const std::string column = finding.at.line == 0 ? "" : fmt::format(" column=\"{}\"", finding.at.column);
      by_file[finding.at.file] += fmt::format(
          "    <error line=\"{}\"{} severity=\"{}\" message=\"{} ({})\" source=\"rproxy.{}\"/>\n", finding.at.line,
          column, severity_name(finding.severity), xml(finding.message), xml(finding.remedy), finding.id);
    }
  }
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<checkstyle version=\"10.0\">\n";
  for (const auto& [file, errors] : by_file)
    out += fmt::format("  <file name=\"{}\">\n{}  </file>\n", xml(file), errors);
  return out + "</checkstyle>\n";
}

}  // namespace rproxy::check
