#include "acme/deploy_hook.h"

#include <utility>

namespace rproxy::acme {

Hook deploy_hook(std::vector<std::string> command, const Deployed& deployed) {
  std::string names;
  for (const std::string& name : deployed.names) names += (names.empty() ? "" : " ") + name;
  Hook hook;
  hook.arguments = std::move(command);
  hook.environment = {"RPROXY_ACME_ACTION=" + deployed.action,
                      "RPROXY_ACME_DOMAIN=" + deployed.names.front(),
                      "RPROXY_ACME_NAMES=" + names,
                      "RPROXY_ACME_CERT=" + deployed.cert_file,
                      "RPROXY_ACME_KEY=" + deployed.key_file,
                      "RPROXY_ACME_NOT_AFTER=" + to_text(deployed.not_after),
                      "RPROXY_ACME_DIRECTORY=" + deployed.directory};
  return hook;
}

std::vector<std::string> split_command(const std::string& command) {
  std::vector<std::string> words;
  std::string word;
  bool is_begun = false;
  char quote = '\0';
  for (const char c : command) {
    if (quote != '\0' ? c == quote : c == '"' || c == '\'') {
      quote = quote != '\0' ? '\0' : c;
      is_begun = true;
    } else if (c == ' ' && quote == '\0') {
      if (is_begun) words.push_back(std::exchange(word, {}));
      is_begun = false;
    } else {
      word += c;
      is_begun = true;
    }
  }
  if (is_begun) words.push_back(std::move(word));
  return words;
}

}  // namespace rproxy::acme
