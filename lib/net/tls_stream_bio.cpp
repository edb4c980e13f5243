// OpenSSL's way to the bytes: it takes from the inner stream's input and puts into output_, and never waits itself.
#include <openssl/bio.h>

#include <algorithm>
#include <cstring>

#include "net/tls_stream.h"

namespace rproxy::net {
namespace {

// Key updates, tickets, refused renegotiations: more of them without any content between is an attack on the processor.
constexpr std::uint8_t kMessagesMax = 32;

}  // namespace

BIO_METHOD* TlsStream::bio_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "rproxy stream");
    BIO_meth_set_read(made, &bio_read);
    BIO_meth_set_write(made, &bio_write);
    BIO_meth_set_ctrl(made, &bio_control);
    return made;
  }();
  return method;
}

int TlsStream::bio_read(BIO* bio, char* out, int size) {
  auto& self = *static_cast<TlsStream*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (self.messages_ > kMessagesMax) return -1;
  const auto input = self.inner_->input();
  if (input.empty()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const auto taken = std::min(input.size(), static_cast<std::size_t>(size));
  std::memcpy(out, input.data(), taken);
  self.inner_->consume(taken);
  return static_cast<int>(taken);
}

int TlsStream::bio_write(BIO* bio, const char* data, int size) {
  auto& self = *static_cast<TlsStream*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const std::size_t taken = self.output_.append(data, static_cast<std::size_t>(size));
  if (taken == 0) {
    BIO_set_retry_write(bio);
    return -1;
  }
  return static_cast<int>(taken);
}

long TlsStream::bio_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

void TlsStream::on_message(int, int, int type, const void*, std::size_t, SSL*, void* self) {
  auto& messages = static_cast<TlsStream*>(self)->messages_;
  if ((type == SSL3_RT_HANDSHAKE || type == SSL3_RT_ALERT) && messages <= kMessagesMax) ++messages;
}

}  // namespace rproxy::net
