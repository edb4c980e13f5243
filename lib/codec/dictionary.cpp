#include "codec/dictionary.h"

#include <openssl/sha.h>

#include <utility>

#include "codec/prepared.h"

namespace rproxy::codec {

Sha256 sha256_of(std::string_view bytes) {
  Sha256 digest;
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  return digest;
}

Result<std::shared_ptr<const Dictionary>> Dictionary::make(std::string bytes) {
  if (bytes.empty()) return fail(ErrorCode::kBadResponse, Side::kUpstream, Retry::kNever, "an empty dictionary");
  if (bytes.size() > kDictionarySizeMax) {
    return fail(ErrorCode::kLimitReached, Side::kUpstream, Retry::kNever, "a dictionary of more than 100 MiB");
  }
  return std::shared_ptr<const Dictionary>(new Dictionary(std::move(bytes)));
}

Dictionary::Dictionary(std::string bytes)
    : bytes_(std::move(bytes)), sha256_(sha256_of(bytes_)), prepared_(std::make_unique<Prepared>(bytes_)) {}

Dictionary::~Dictionary() = default;

std::size_t Dictionary::memory() const { return bytes_.capacity() + prepared_->memory(); }

}  // namespace rproxy::codec
