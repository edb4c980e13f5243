// A message's content, pulled. A filter on a body is a body that wraps a body; not reading is back-pressure.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/result.h"
#include "http/fields.h"
#include "http/message.h"
#include "net/stream.h"
#include "net/task.h"

namespace rproxy::codec {
struct EncoderOptions;
class Tally;
}  // namespace rproxy::codec

namespace rproxy::exchange {

struct Slice {
  std::string_view data;
  bool last = false;     // nothing follows but trailers()
  net::FilePart file{};  // in place of data, for who has said allow_files()

  std::uint64_t size() const { return data.size() + file.size; }
};

class Body : public net::Pooled {
 public:
  Body() = default;
  Body(const Body&) = delete;
  Body& operator=(const Body&) = delete;
  virtual ~Body() = default;

  // The next slice; valid until the next read() and while the body lives. data may be empty only together with `last`. Not called again
  // after `last` or an error. An error means that the content is incomplete: it must not be passed on as if it were whole.
  virtual net::ValueTask<Result<Slice>> read() = 0;

  // kFixed where the length is known beforehand, kNone for no content, kChunked otherwise.
  virtual http::BodyLength length() const = 0;

  // Who reads it can send parts of files as they are: slices may be such from now on.
  virtual void allow_files() {}

  // Where coded forms of the content are kept for all who come: this one, in place of this body; `memory` counts what making it takes. Null:
  // whoever asks codes it himself.
  virtual std::unique_ptr<Body> in_coding(const codec::EncoderOptions& /*options*/,
                                          const std::shared_ptr<codec::Tally>& /*memory*/) {
    return nullptr;
  }

  // After the last slice; null where there are none.
  virtual const http::Fields* trailers() const { return nullptr; }
};

// Both directions of an upgraded connection (RFC 9110 7.8) as its upstream end.
class Tunnel : public net::Pooled {
 public:
  Tunnel() = default;
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;
  virtual ~Tunnel() = default;

  // What the upstream sent; empty at its end. Valid until the next read().
  virtual net::Task<Result<std::string_view>> read() = 0;
  virtual net::Task<Result<void>> write(std::string_view bytes) = 0;
  virtual void shutdown_write() = 0;
  // Ends both ways; a waiting read() or write() fails.
  virtual void abort() = 0;
};

}  // namespace rproxy::exchange
