// Records as lines: JSON, Combined, or as a template says.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "proxy/access_log_options.h"
#include "proxy/access_record.h"

namespace rproxy::proxy {

class AccessLogFormat {
 public:
  // Errors: kConfig, for a template with an unknown variable or an open brace.
  static Result<AccessLogFormat> compile(const AccessLogOptions& options);

  // Appends one line with its newline. Whatever a record holds, it stays one line.
  void append(std::string& out, const AccessRecord& record) const;

 private:
  struct Piece {
    std::string text;
    const AccessVariable* variable = nullptr;
  };
  void append_template(std::string& out, const AccessRecord& record) const;

  AccessLogOptions::Format format_ = AccessLogOptions::Format::kJson;
  std::vector<Piece> pieces_;
};

}  // namespace rproxy::proxy
