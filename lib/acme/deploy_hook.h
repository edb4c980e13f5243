// The program that is told of a new certificate: it reloads a server, or carries files elsewhere.
#pragma once

#include <string>
#include <vector>

#include "acme/hook.h"
#include "acme/wall_time.h"

namespace rproxy::acme {

struct Deployed {
  std::string action;              // issued, renewed; written: to files only
  std::vector<std::string> names;  // the one it is kept as first
  std::string cert_file;
  std::string key_file;  // both may be one
  WallTime not_after;
  std::string directory;  // a URL
};

// With RPROXY_ACME_ACTION, _DOMAIN, _NAMES (blanks between), _CERT, _KEY, _NOT_AFTER and _DIRECTORY.
Hook deploy_hook(std::vector<std::string> command, const Deployed& deployed);

// "PROGRAM ARGUMENT...", taken apart at blanks but within quotes, as no shell is asked to.
std::vector<std::string> split_command(const std::string& command);

}  // namespace rproxy::acme
