#include "net/tls_ticket_keys.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace rproxy::net {

TicketKeys::TicketKeys(TimePoint now) : rotated_(now) {
  // Never grows: a key that moved would leave a copy of itself behind.
  keys_.reserve(kKept + 1);
  keys_.push_back(make());
}

TicketKeys::~TicketKeys() {
  for (Key& key : keys_) wipe(key);
}

TicketKeys::Key TicketKeys::make() {
  Key key;
  if (RAND_bytes(key.name.data(), key.name.size()) != 1 || RAND_priv_bytes(key.cipher.data(), key.cipher.size()) != 1 ||
      RAND_priv_bytes(key.mac.data(), key.mac.size()) != 1) {
    throw std::runtime_error("no randomness for ticket keys");
  }
  return key;
}

void TicketKeys::wipe(Key& key) { OPENSSL_cleanse(&key, sizeof key); }

void TicketKeys::rotate(TimePoint now) {
  const auto periods = (now - rotated_) / kSealsFor;
  if (periods <= 0) return;
  // After a silence of days no old key may open anything, as if each had been replaced in its time.
  const auto outlived = std::min<std::size_t>(static_cast<std::size_t>(periods - 1), kKept - 1);
  const std::size_t kept = std::min(keys_.size(), kKept - 1 - outlived);
  for (std::size_t i = kept; i < keys_.size(); ++i) wipe(keys_[i]);
  keys_.resize(kept);
  keys_.insert(keys_.begin(), make());
  rotated_ += periods * kSealsFor;
}

int TicketKeys::use(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, bool seal,
                    TimePoint now) {
  const std::lock_guard lock(mutex_);
  rotate(now);
  auto key = keys_.begin();
  if (seal) {
    std::ranges::copy(key->name, name);
    if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) return -1;
  } else {
    key = std::ranges::find_if(keys_,
                               [name](const Key& k) { return std::memcmp(k.name.data(), name, k.name.size()) == 0; });
    if (key == keys_.end()) return 0;
  }
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac.data(), key->mac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
  if (EVP_MAC_CTX_set_params(mac, parameters) != 1) return -1;
  const int set = seal ? EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key->cipher.data(), iv)
                       : EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key->cipher.data(), iv);
  if (set != 1) return -1;
  return seal || key == keys_.begin() ? 1 : 2;
}

}  // namespace rproxy::net
