#include "net/websocket.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>

namespace rproxy::net {
namespace {

// RFC 6455 1.3.
constexpr std::string_view kProof = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

std::string_view base64(const unsigned char* bytes, std::size_t size, Arena& arena) {
  // EVP_EncodeBlock() ends what it writes with a NUL.
  char* out = arena.allocate((size + 2) / 3 * 4 + 1);
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out), bytes, static_cast<int>(size));
  return {out, static_cast<std::size_t>(length)};
}

}  // namespace

std::string_view make_websocket_key(Arena& arena) {
  std::array<unsigned char, 16> bytes{};
  // A nonce, not a secret: where the generator fails, zeros serve as well.
  RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
  return base64(bytes.data(), bytes.size(), arena);
}

std::string_view websocket_accept(std::string_view key, Arena& arena) {
  const auto text = arena.concat({key, kProof});
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
  return base64(digest.data(), size, arena);
}

}  // namespace rproxy::net
