// The numbers of the PROXY protocol (PP 2.2), for its parser and its writer.
#pragma once

#include <cstddef>
#include <string_view>

namespace rproxy::net::proxy_wire {

constexpr std::string_view kLinePrefix = "PROXY ";
constexpr std::string_view kUnknown = "UNKNOWN";

constexpr std::string_view kSignature{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr std::size_t kCommandAt = 12;
constexpr std::size_t kFamilyAt = 13;
constexpr std::size_t kLengthAt = 14;

// Version and command.
constexpr unsigned kLocal = 0x20;
constexpr unsigned kProxy = 0x21;

// Family, in the upper half of its byte, and transport, in the lower one.
constexpr unsigned kUnspecified = 0;
constexpr unsigned kIpv4 = 1;
constexpr unsigned kIpv6 = 2;
constexpr unsigned kUnix = 3;
constexpr unsigned kStream = 1;
constexpr unsigned kDatagram = 2;
constexpr std::size_t kIpv4Size = 4;
constexpr std::size_t kIpv6Size = 16;
constexpr std::size_t kUnixPathSize = 108;

// Fields: a type, a length of two bytes, a value.
constexpr std::size_t kTlvHead = 3;
constexpr unsigned kAlpn = 0x01;
constexpr unsigned kAuthority = 0x02;
constexpr unsigned kChecksum = 0x03;
constexpr unsigned kNoop = 0x04;
constexpr unsigned kUniqueId = 0x05;
constexpr unsigned kTls = 0x20;
constexpr std::size_t kChecksumSize = 4;
constexpr std::size_t kUniqueIdMax = 128;

// Within kTls, behind a byte of flags and four that are 0 for a verified certificate.
constexpr std::size_t kTlsHead = 5;
constexpr unsigned kClientTls = 0x01;
constexpr unsigned kClientCertConnection = 0x02;
constexpr unsigned kClientCertSession = 0x04;
constexpr unsigned kTlsVersion = 0x21;
constexpr unsigned kTlsClientName = 0x22;
constexpr unsigned kTlsCipher = 0x23;

}  // namespace rproxy::net::proxy_wire
