// Findings that the configuration itself allows, with a reason: "# rproxy: allow RP2002 the old clients ask for it".
//
// A comment counts for the line it ends, or, by itself, for the next line that is none; where that is a table's header, for the table.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/load.h"
#include "config/problems.h"

namespace rproxy::check {

class Allowances {
 public:
  // Of all files that `loaded` was read from. RP2901: a comment that is meant to be one and is not understood.
  Allowances(const config::Loaded& loaded, config::Problems& problems);

  // Takes what is allowed out of `findings`; errors are not.
  void apply(std::vector<config::Diagnostic>& findings);
  // RP2902: those that allowed nothing. After all has been applied.
  void report_unused(config::Problems& problems) const;

 private:
  struct Allowance {
    std::shared_ptr<const config::SourceFile> file;
    config::Place at;
    std::string id;
    std::size_t first = 0;  // the lines it counts for
    std::size_t last = 0;
    bool is_used = false;
  };
  void read_file(const std::shared_ptr<const config::SourceFile>& file, config::Problems& problems);
  void read_comment(const std::shared_ptr<const config::SourceFile>& file, std::size_t line, std::size_t at,
                    config::Problems& problems);

  std::vector<Allowance> allowances_;
};

}  // namespace rproxy::check
