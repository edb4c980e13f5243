// A server's session whose streams write down what they are told.
#pragma once

#include <fmt/format.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "http2/session.h"
#include "support/http2_client.h"
#include "support/http2_frames.h"

namespace rproxy::http2 {

class Noted final : public Stream {
 public:
  explicit Noted(const http::HeadLimits& limits) : limits_(limits) { block.start(head.fields, arena, limits); }

  void on_block(bool last) override {
    if (!has_head_) {
      has_head_ = true;
      const http::PathPolicy paths;
      auto done = block.finish_request(head, paths, !last);
      note(fmt::format("{} {}{}{}", head.method, head.path, last ? " end" : "", done ? "" : " refused"));
      if (!last) block.start(trailer_fields, arena, limits_);
      return;
    }
    (void)block.finish_trailers(Side::kClient);
    std::string text = "trailers";
    for (const auto& field : trailer_fields) text += fmt::format(" {}={}", field.name, field.value);
    note(text);
  }
  void on_content(std::string_view bytes) override {
    if (notes.empty() || !notes.back().starts_with("content ")) note("content ");
    notes.back() += bytes;
    content_size += bytes.size();
  }
  void on_end() override { note("end"); }
  void on_taken() override { taken = true; }
  void on_close(std::uint32_t error) override {
    note(fmt::format("closed {}", error));
    number = id;
    id = 0;
  }

  std::vector<std::string> notes;
  http::RequestHead head;
  http::Fields trailer_fields;
  Arena arena;
  std::size_t content_size = 0;
  bool taken = false;
  std::int32_t number = 0;

 private:
  void note(std::string text) { notes.push_back(std::move(text)); }

  const http::HeadLimits& limits_;
  bool has_head_ = false;
};

struct NotedServer final : Session::Acceptor {
  explicit NotedServer(const Options& chosen = {}, const http::HeadLimits& heads = {})
      : options(chosen), limits(heads) {}

  Stream& accept() override {
    streams.push_back(std::make_unique<Noted>(limits));
    return *streams.back();
  }

  // All that is to be sent, in buffers of that size.
  std::string drain(std::size_t capacity = 16384) {
    std::string all;
    while (session.wants_to_send()) {
      const std::string part = drain_once(capacity);
      if (part.empty()) break;
      all += part;
    }
    return all;
  }
  std::string drain_once(std::size_t capacity) {
    // Of its very size, so that a sanitizer sees a byte too many.
    const auto room = std::make_unique<char[]>(capacity);
    Session::Output out{room.get(), capacity};
    session.drain(out);
    return {room.get(), out.size};
  }
  // Until neither has anything to say.
  void talk(test::Http2Client& client, std::size_t capacity = 16384) {
    for (;;) {
      const std::string up = client.take();
      if (!up.empty()) session.feed(up, now);
      const std::string down = drain(capacity);
      if (!down.empty()) client.receive(down);
      if (up.empty() && down.empty()) return;
    }
  }
  void respond(Noted& stream, std::uint16_t status = 200, bool has_content = true) {
    http::ResponseHead head;
    head.status = status;
    session.respond(stream, head, {}, has_content);
  }
  void offer(Noted& stream, std::string_view bytes, bool last, const http::Fields* trailers = nullptr) {
    stream.out = bytes;
    stream.out_is_last = last;
    stream.trailers = trailers;
    stream.has_out = true;
    stream.taken = false;
    session.resume(stream);
  }
  // What each stream was told.
  std::vector<std::vector<std::string>> notes() const {
    std::vector<std::vector<std::string>> all;
    for (const auto& stream : streams) all.push_back(stream->notes);
    return all;
  }

  Options options;
  http::HeadLimits limits;
  std::vector<std::unique_ptr<Noted>> streams;
  TimePoint now = TimePoint{} + std::chrono::hours(1);
  Session session{Session::Role::kServer, options, limits, this};
};

}  // namespace rproxy::http2
