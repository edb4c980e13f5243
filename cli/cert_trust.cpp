// rproxy cert trust: how machines and programs come to trust an authority.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cstdlib>
#include <memory>

#include "cli/cert_view.h"
#include "cli/output.h"
#include "config/text.h"
#include "x509/facts.h"

namespace rproxy::cli {
namespace {

struct System {
  const char* name;
  const char* title;
  const char* lines;  // {0}: the file, {1}: what the certificate is called there
};
constexpr System kSystems[] = {
    {"debian", "Debian, Ubuntu",
     "sudo install -m 0644 {0} \\\n"
     "  /usr/local/share/ca-certificates/{1}.crt\n"
     "sudo update-ca-certificates\n"
     "# undo: remove that file, then: sudo update-ca-certificates --fresh\n"},
    {"fedora", "Fedora, RHEL, Rocky",
     "sudo install -m 0644 {0} \\\n"
     "  /etc/pki/ca-trust/source/anchors/{1}.pem\n"
     "sudo update-ca-trust\n"},
    {"arch", "Arch", "sudo trust anchor --store {0}\n"},
    {"alpine", "Alpine, containers",
     "install -m 0644 {0} \\\n"
     "  /usr/local/share/ca-certificates/{1}.crt\n"
     "apk add --no-cache ca-certificates && update-ca-certificates\n"},
    {"macos", "macOS (system, Safari, Chrome)",
     "sudo security add-trusted-cert -d -r trustRoot \\\n"
     "  -k /Library/Keychains/System.keychain {0}\n"
     "# undo: sudo security remove-trusted-cert -d {0}\n"},
    {"windows", "Windows (system, Edge, Chrome), as administrator",
     "certutil -addstore -f ROOT {0}\n"
     "# undo: certutil -delstore ROOT \"{1}\"\n"},
    {"firefox", "Firefox, all systems",
     "# Settings, Certificates, View, Authorities, Import; or by policy, in\n"
     "# /etc/firefox/policies/policies.json:\n"
     "{{\"policies\": {{\"Certificates\": {{\"ImportEnterpriseRoots\": true,\n"
     "  \"Install\": [\"{0}\"]}}}}}}\n"},
    {"nss", "Chrome and Chromium on Linux (NSS; package libnss3-tools)",
     "mkdir -p ~/.pki/nssdb\n"
     "certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n \"{1}\" -i {0}\n"
     "# undo: certutil -d sql:$HOME/.pki/nssdb -D -n \"{1}\"\n"},
    {"curl", "curl, wget",
     "curl --cacert {0} https://HOST/\n"
     "wget --ca-certificate={0} https://HOST/\n"},
    {"node", "Node.js", "export NODE_EXTRA_CA_CERTS={0}\n"},
    {"python", "Python (requests, urllib3, ssl)",
     "export REQUESTS_CA_BUNDLE={0}   # requests: it alone, in place of all others\n"
     "export SSL_CERT_FILE={0}        # ssl: the same\n"},
    {"java", "Java",
     "keytool -importcert -noprompt -cacerts -storepass changeit \\\n"
     "  -alias \"{1}\" -file {0}\n"
     "# undo: keytool -delete -cacerts -storepass changeit -alias \"{1}\"\n"},
    {"go", "Go, and what else reads OpenSSL's variables", "export SSL_CERT_FILE={0}\n"},
    {"git", "Git", "git config --global http.https://HOST/.sslCAInfo {0}\n"},
    {"rproxy", "rproxy, towards upstreams",
     "[upstreams.NAME.tls]\n"
     "ca_file = \"{0}\"\n"},
};

std::vector<std::string> system_names() {
  std::vector<std::string> names;
  for (const System& each : kSystems) names.emplace_back(each.name);
  return names;
}

// As one word of a shell.
std::string shell_word(const std::string& path) {
  const bool is_plain = std::ranges::all_of(path, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/._-+@").find(c) != std::string_view::npos;
  });
  if (is_plain) return path;
  std::string out = "'";
  for (const char c : path) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

// For what is run elsewhere, and later.
std::string whole_path(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> whole(::realpath(path.c_str(), nullptr), std::free);
  return whole ? whole.get() : path;
}

std::string plain_name(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool is_plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
    if (is_plain) {
      out += c;
    } else if (!out.empty() && out.back() != '-') {
      out += '-';
    }
  }
  return out.empty() ? "local-ca" : out;
}

class Trust final : public Command {
 public:
  explicit Trust(CLI::App& cert) {
    auto* command = cert.add_subcommand("trust", "Say how to make machines trust an authority");
    command->add_option("file", file_, "The authority's certificate (ca.pem)")->type_name("FILE");
    command->add_option("--for", systems_, "Only this system or program; repeatable")
        ->type_name("SYSTEM")
        ->allow_extra_args(false)
        ->check(CLI::IsMember(system_names()).description(""));
    command->footer(
        "Nothing is changed: it prints what to run. Systems: debian, fedora, arch,\n"
        "alpine, macos, windows, firefox, nss (Chromium), curl, node, python, java, go,\n"
        "git, rproxy.");
  }

  int run() override {
    const x509::Bundle bundle = read_bundle(file_, "");
    if (bundle.certificates.empty()) fail_cert(fmt::format("{}: there is no certificate in it", file_));
    const x509::Certificate& authority = bundle.certificates.front();
    if (X509_check_ca(authority.native()) == 0)
      fail_cert(fmt::format("{} is no authority's certificate: whoever issued it is to be trusted", file_));
    const x509::CertificateFacts facts = x509::facts_of(authority);
    // In one line: what would go on in the next is a shell's.
    constexpr std::size_t kSubjectMax = 66;
    std::string out = fmt::format("# authority   {}\n# ends        {}\n# SHA-256     {}\n#             {}\n",
                                  config::cut_text(config::printable(facts.subject), kSubjectMax),
                                  time_text(facts.not_after), facts.sha256.substr(0, 47), facts.sha256.substr(48));
    if (!bundle.keys.empty()) out += "#\n# The file has the private key, too: give others the certificate alone.\n";
    const std::string path = shell_word(whole_path(file_));
    const std::string name = plain_name(short_name(authority));
    for (const System& each : kSystems) {
      if (!systems_.empty() && std::ranges::find(systems_, each.name) == systems_.end()) continue;
      out += fmt::format("\n# {}\n", each.title);
      out += fmt::format(fmt::runtime(each.lines), path, name);
    }
    write_output(out);
    return kOk;
  }

 private:
  std::string file_ = "ca.pem";
  std::vector<std::string> systems_;
};

}  // namespace

std::unique_ptr<Command> make_cert_trust(CLI::App& cert) { return std::make_unique<Trust>(cert); }

}  // namespace rproxy::cli
