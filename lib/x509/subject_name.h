// A name that a certificate is for (subjectAltName), as it is written on a command line.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "x509/handles.h"

namespace rproxy::x509 {

struct SubjectName {
  enum class Kind : std::uint8_t { kDns, kIp, kUri, kEmail };
  Kind kind = Kind::kDns;
  std::string text;  // in its usual form: host names in lower case, addresses as RFC 5952 has them
  bool operator==(const SubjectName&) const = default;

  // What it is shows in how it is written: "shop.com" and "*.shop.com", "192.0.2.1" and "[::1]", "https://shop.com/a" (any scheme),
  // "ops@shop.com"; or a prefix says it, as OpenSSL has them: "DNS:", "IP:", "URI:", "email:". Errors: kConfig, with what to write.
  static Result<SubjectName> parse(std::string_view text);
};

// "DNS:", "IP:", "URI:", "email:" and the name.
std::string to_string(const SubjectName& name);

using GeneralNamesPtr = std::unique_ptr<GENERAL_NAMES, FreeBy<GENERAL_NAMES_free>>;
GeneralNamesPtr to_general_names(const std::vector<SubjectName>& names);

}  // namespace rproxy::x509
