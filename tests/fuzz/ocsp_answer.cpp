// Whatever a responder answers: it is believed, or refused with a word.
#include <string>

#include "fuzz.h"
#include "x509/certified_key.h"
#include "x509/ocsp.h"

namespace {

constexpr const char* kRoot =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBdTCCARugAwIBAgIUIHynCpnz572t0KVPfHPrZ9w2MgAwCgYIKoZIzj0EAwIw\n"
    "DzENMAsGA1UEAwwEcm9vdDAgFw0yNjExMjcyMTU4MjhaGA8yMTI2MTEwMzIxNTgy\n"
    "OFowDzENMAsGA1UEAwwEcm9vdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABPuL\n"
    "W2cFC4jyw3uUYmvYSs2d8TmEbuBZlJWOVX2FwnLYqz2FhTjcUP9bfWhjFYCekx7f\n"
    "j2eDDk1XNAB9mvd/8eajUzBRMB0GA1UdDgQWBBSoCRYg/UxbiKaanNEaN6Qp2yaU\n"
    "1jAfBgNVHSMEGDAWgBSoCRYg/UxbiKaanNEaN6Qp2yaU1jAPBgNVHRMBAf8EBTAD\n"
    "AQH/MAoGCCqGSM49BAMCA0gAMEUCIDa0pDxwP+QP6mIm/D+nzkYUNBynouYuYYPS\n"
    "mDZNd7cIAiEA1PqmzOIQ4rrx1bsXe8NlxtqZbVnepj8bxBBsmYOOu8k=\n"
    "-----END CERTIFICATE-----\n";

constexpr const char* kLeaf =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBCzCBswICEAAwCgYIKoZIzj0EAwIwDzENMAsGA1UEAwwEcm9vdDAgFw0yNjEx\n"
    "MjcyMTU4MjhaGA8yMTI1MDYyMTIxNTgyOFowEzERMA8GA1UEAwwIc2hvcC5jb20w\n"
    "WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASqCT1O8Ri6PCF+AqdGjVDxfcen/IDa\n"
    "ISJKH60VNfXmERTpjWa0yi+B2NfeXT8FL6bm9LQg8i8xiJlLfI2L0ZhkMAoGCCqG\n"
    "SM49BAMCA0cAMEQCIDpUvMKiaUJ69xM5qyeMN1WOIOLJso7rWxwUHNKff3UjAiAL\n"
    "kwZ30FbqqpXTmA0jm0DfDq+WcSZ9lufn7o3WOnC//w==\n"
    "-----END CERTIFICATE-----\n";

rproxy::x509::Certificate parse(const char* pem) {
  return rproxy::x509::parse_certificates(pem, "fuzz", 1).value().front();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rproxy;
  static const x509::Certificate kIssuer = parse(kRoot);
  static const x509::Certificate kCertificate = parse(kLeaf);
  const x509::WallTime now{std::chrono::seconds{1'800'000'000}};
  const auto answer = x509::verify_ocsp(text_of(data, size), kCertificate, kIssuer, now);
  if (answer) {
    FUZZ_CHECK(answer->updated.has_value());
    FUZZ_CHECK(answer->status == "good" || answer->status == "revoked" || answer->status == "unknown");
  } else {
    FUZZ_CHECK(!answer.error().context.empty());
  }
  return 0;
}
