// Where access log lines go and what they look like.
#pragma once

#include <string>

#include "base/units.h"

namespace rproxy::proxy {

struct AccessLogOptions {
  enum class Format : std::uint8_t { kJson, kCombined, kTemplate };
  enum class Target : std::uint8_t { kOff, kStdout, kFile, kSyslog };
  Target target = Target::kOff;
  std::string path;  // kFile: the file; kSyslog: "/dev/log" or "host:port" (UDP, RFC 5424)
  Format format = Format::kJson;
  std::string template_text;  // kTemplate: "{client_ip} {method} {uri} {status} ..."
  ByteSize buffer = 1_MiB;    // per worker; lines that do not fit are dropped and counted
  Duration flush{1'000};      // longest a line waits
  bool operator==(const AccessLogOptions&) const = default;
};

}  // namespace rproxy::proxy
