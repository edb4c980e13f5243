#include "x509/refusal.h"

#include <fmt/format.h>
#include <openssl/err.h>

#include <utility>

namespace rproxy::x509 {

tl::unexpected<Error> refuse(std::string context) {
  ERR_clear_error();
  return fail(ErrorCode::kConfig, Side::kLocal, Retry::kNever, std::move(context));
}

tl::unexpected<Error> broken(const char* what) {
  return fail(ErrorCode::kInternal, Side::kLocal, Retry::kNever, fmt::format("{}: {}", what, take_openssl_reason()));
}

BioPtr bio_of(std::string_view text) { return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

std::string_view view_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

}  // namespace rproxy::x509
