// A private key's text, or a password: wiped where it goes out of use.
#pragma once

#include <openssl/crypto.h>

#include <string>
#include <string_view>
#include <vector>

namespace rproxy::x509 {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view text) : bytes_(text.begin(), text.end()) {}
  // Takes it out of `text`, which is wiped.
  static Secret take(std::string& text) {
    Secret taken{std::string_view(text)};
    OPENSSL_cleanse(text.data(), text.size());
    text.clear();
    return taken;
  }
  Secret(Secret&& other) noexcept = default;
  Secret& operator=(Secret&& other) noexcept {
    bytes_.swap(other.bytes_);
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

  std::string_view view() const { return {bytes_.data(), bytes_.size()}; }
  bool empty() const { return bytes_.empty(); }

 private:
  // No string: a short one would stay behind where it was moved from.
  std::vector<char> bytes_;
};

}  // namespace rproxy::x509
