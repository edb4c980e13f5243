// Whatever is in a file of certificates: it is read or refused, told in words and judged, and nothing of it reaches a terminal as it is.
#include <string>

#include "fuzz.h"
#include "x509/bundle.h"
#include "x509/facts.h"
#include "x509/ocsp.h"
#include "x509/verification.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rproxy;
  const auto text = text_of(data, size);
  // Rounds of PBKDF2 are somebody else's time.
  const auto bundle = x509::Bundle::parse(text, "fuzz");
  (void)x509::parse_ocsp(text);
  if (!bundle) {
    FUZZ_CHECK(!bundle.error().context.empty());
    return 0;
  }
  FUZZ_CHECK(bundle->size() > 0);
  for (const auto& each : bundle->certificates) {
    const auto facts = x509::facts_of(each);
    FUZZ_CHECK(facts.sha256.size() == 95);
    FUZZ_CHECK(!x509::to_pem(each).empty());
  }
  for (const auto& each : bundle->requests) (void)each.names();
  for (const auto& each : bundle->revocation_lists) (void)x509::facts_of(each.get(), 100);
  if (bundle->certificates.empty()) return 0;
  x509::ChainQuestion question;
  question.presented = bundle->certificates;
  question.names = {"shop.com"};
  question.now = x509::WallTime{std::chrono::seconds{1'795'737'600}};
  if (!bundle->keys.empty()) question.key = bundle->keys.front().get();
  const auto verdict = x509::verify_chain(question);
  FUZZ_CHECK(!verdict.path.empty());
  FUZZ_CHECK(verdict.presented_in_path == verdict.path.size());
  return 0;
}
