// Content codings (RFC 9110 8.4.1): their names, which of them a client accepts and an answer gets (12.5.3), which ones a content has.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "http/fields.h"

namespace rproxy::http {

// kDcb and kDcz are RFC 9842's: Brotli and Zstandard with a dictionary that both sides have.
enum class Coding : std::uint8_t { kIdentity, kGzip, kDeflate, kBrotli, kZstd, kDcb, kDcz };
constexpr std::size_t kCodingCount = 7;

// As it is registered: "gzip", "br".
std::string_view to_string(Coding coding);

// Without case, "x-gzip" for "gzip" (RFC 9110 8.4.1.3); nothing for any other name.
std::optional<Coding> coding_of(std::string_view name);

// What Accept-Encoding says of each coding.
class AcceptedCodings {
 public:
  // Of all lines together. No such field: whoever does not name a coding is not going to decode one, though RFC 9110 would allow any. A
  // malformed member counts as if it were not there; of a coding named twice the lower quality counts, so that a refusal holds.
  static AcceptedCodings of(const Fields& request);

  // In thousandths; 0 is refused. A wildcard does not speak for kDcb and kDcz, which need a dictionary as well (RFC 9842 6.1).
  int quality(Coding coding) const { return quality_[static_cast<std::size_t>(coding)]; }
  // Whether identity was spoken of, by name or wildcard. Where it was not it is acceptable, after everything that was named.
  bool weighs_identity() const { return weighs_identity_; }

 private:
  std::array<std::int16_t, kCodingCount> quality_{};
  bool weighs_identity_ = false;
};

struct CodingChoice {
  std::optional<Coding> coding;  // none: the content as it is
  bool is_acceptable = true;     // false: neither what is on offer nor the content as it is; then there is no coding
};

// Of the codings on offer the one of the highest quality; of equals the one offered first, and any of them before identity.
CodingChoice choose_coding(const AcceptedCodings& accepted, std::span<const Coding> offer);

// What Content-Encoding says has been done to a content.
class AppliedCodings {
 public:
  // More is nothing that anybody sends, but what would make a proxy undo coding after coding.
  static constexpr std::size_t kMax = 3;

  static AppliedCodings of(const Fields& head);

  // In the order they were applied, without identity. Empty where is_understood() is false.
  std::span<const Coding> list() const { return {list_.data(), size_}; }
  // False: there is a coding that has no name here, or more than kMax.
  bool is_understood() const { return understood_; }
  // The content is as it was made.
  bool is_identity() const { return understood_ && size_ == 0; }

 private:
  std::array<Coding, kMax> list_{};
  std::size_t size_ = 0;
  bool understood_ = true;
};

}  // namespace rproxy::http
