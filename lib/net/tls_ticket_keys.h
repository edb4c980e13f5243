// The keys that seal session tickets (RFC 5077 4, RFC 8446 4.6.1), one set for all workers, so that a session resumes on any of them.
#pragma once

#include <openssl/evp.h>

#include <array>
#include <mutex>
#include <vector>

#include "base/units.h"

namespace rproxy::net {

// A key seals for half a day and opens for a day and a half: whoever steals one opens no more than that.
class TicketKeys {
 public:
  static constexpr std::chrono::hours kSealsFor{12};
  static constexpr std::size_t kKept = 3;

  explicit TicketKeys(TimePoint now = Clock::now());
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;
  ~TicketKeys();

  // The body of OpenSSL's callback: 1 sealed or opened, 2 opened but to be renewed, 0 unknown key, -1 error. From any thread.
  int use(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, bool seal, TimePoint now);

 private:
  struct Key {
    std::array<unsigned char, 16> name;
    std::array<unsigned char, 32> cipher;
    std::array<unsigned char, 32> mac;
  };
  static Key make();
  static void wipe(Key& key);
  void rotate(TimePoint now);

  std::mutex mutex_;
  std::vector<Key> keys_;  // the newest first
  TimePoint rotated_;
};

}  // namespace rproxy::net
