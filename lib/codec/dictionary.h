// A dictionary that a client has of an earlier answer (RFC 9842), with what the coders make of it. All requests and threads share one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace rproxy::codec {

// Whether the Brotli library knows shared dictionaries (it does since 1.1): without, there is no kDcb.
#ifdef RPROXY_HAS_DCB
inline constexpr bool kHasDcb = true;
#else
inline constexpr bool kHasDcb = false;
#endif

using Sha256 = std::array<std::uint8_t, 32>;

// The largest that can be used: a window of 1.25 times its size is 128 MB, which is what clients go to (RFC 9842 5).
inline constexpr std::size_t kDictionarySizeMax = 100 * 1024 * 1024;

class Prepared;  // codec/prepared.h: what the libraries make of it

class Dictionary {
 public:
  // kLimitReached beyond kDictionarySizeMax, kBadResponse for an empty one.
  static Result<std::shared_ptr<const Dictionary>> make(std::string bytes);
  ~Dictionary();

  Dictionary(const Dictionary&) = delete;
  Dictionary& operator=(const Dictionary&) = delete;

  std::string_view bytes() const { return bytes_; }
  const Sha256& sha256() const { return sha256_; }
  // Tables are made when a level is first asked for, a few levels' at most. Safe in any thread.
  Prepared& prepared() const { return *prepared_; }
  // With what has been prepared so far.
  std::size_t memory() const;

 private:
  explicit Dictionary(std::string bytes);

  std::string bytes_;
  Sha256 sha256_;
  std::unique_ptr<Prepared> prepared_;
};

Sha256 sha256_of(std::string_view bytes);

}  // namespace rproxy::codec
