// An HTTP/2 server on nghttp2's own session, as a machine: bytes in, bytes out, the requests it has got, and answers as its owner wants.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/http2_client.h"

namespace rproxy::test {

class Http2Server {
 public:
  struct Request {
    Lines head = {};
    std::string body = {};
    Lines trailers = {};
    bool has_head = false;
    bool whole = false;                        // END_STREAM has come
    std::optional<std::uint32_t> closed = {};  // by that error word
  };
  using Settings = std::vector<nghttp2_settings_entry>;

  // `window`: of each stream, where not the default.
  explicit Http2Server(Settings settings = {}, std::uint32_t window = 65535) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session* made = nullptr;
    nghttp2_session_server_new(&made, callbacks, this);
    session_.reset(made);
    nghttp2_session_callbacks_del(callbacks);
    settings.push_back({NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window});
    change(settings);
  }
  Http2Server(const Http2Server&) = delete;
  Http2Server& operator=(const Http2Server&) = delete;

  void change(const Settings& settings) {
    nghttp2_submit_settings(session(), NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  }
  void interim(std::int32_t id, const Lines& lines) {
    const auto views = views_of(lines);
    nghttp2_submit_headers(session(), NGHTTP2_FLAG_NONE, id, nullptr, views.data(), views.size(), nullptr);
  }
  // Without a body the head ends the stream; with one that is not whole it stays open.
  void answer(std::int32_t id, const Lines& head, std::optional<std::string> body = {}, bool whole = true,
              Lines trailers = {}) {
    auto& sending = sending_[id];
    sending = std::make_unique<Sending>();
    const bool has_body = body.has_value();
    if (has_body) *sending = {std::move(*body), std::move(trailers), whole};
    nghttp2_data_provider provider{};
    provider.source.ptr = sending.get();
    provider.read_callback = read_body;
    const auto views = views_of(head);
    nghttp2_submit_response(session(), id, views.data(), views.size(), has_body ? &provider : nullptr);
  }
  void reset(std::int32_t id, std::uint32_t word) { nghttp2_submit_rst_stream(session(), NGHTTP2_FLAG_NONE, id, word); }
  // Requests above `last` have not been looked at.
  void go_away(std::int32_t last, std::uint32_t word = NGHTTP2_NO_ERROR) {
    nghttp2_submit_goaway(session(), NGHTTP2_FLAG_NONE, last, word, nullptr, 0);
  }
  // As above, and nothing more is said.
  void terminate(std::uint32_t word = NGHTTP2_NO_ERROR) { nghttp2_session_terminate_session(session(), word); }

  void receive(std::string_view bytes) {
    const auto used =
        nghttp2_session_mem_recv(session(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    if (used < 0) error_ = static_cast<int>(used);
  }
  // All that is to be sent now.
  std::string take() {
    std::string out;
    const std::uint8_t* data = nullptr;
    for (;;) {
      const auto size = nghttp2_session_mem_send(session(), &data);
      if (size <= 0) return out;
      out.append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
    }
  }

  const std::map<std::int32_t, Request>& requests() const { return requests_; }
  const Request& request(std::int32_t id) const { return requests_.at(id); }
  // GOAWAY has come, with that word.
  std::optional<std::uint32_t> farewell() const { return farewell_; }
  int error() const { return error_; }
  nghttp2_session* session() const { return session_.get(); }

 private:
  struct Sending {
    std::string body;
    Lines trailers;
    bool whole = true;
  };
  struct Deleter {
    void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
  };

  static std::vector<nghttp2_nv> views_of(const Lines& lines) {
    std::vector<nghttp2_nv> views;
    const auto bytes = [](const std::string& text) {
      return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
    };
    for (const auto& [name, value] : lines) {
      views.push_back({bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
    }
    return views;
  }
  static ssize_t read_body(nghttp2_session* session, std::int32_t id, std::uint8_t* buffer, std::size_t size,
                           std::uint32_t* flags, nghttp2_data_source* source, void*) {
    Sending& sending = *static_cast<Sending*>(source->ptr);
    if (sending.body.empty() && !sending.whole) return NGHTTP2_ERR_DEFERRED;
    const std::size_t part = std::min(size, sending.body.size());
    std::memcpy(buffer, sending.body.data(), part);
    sending.body.erase(0, part);
    if (!sending.body.empty() || !sending.whole) return static_cast<ssize_t>(part);
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (!sending.trailers.empty()) {
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      const auto views = views_of(sending.trailers);
      nghttp2_submit_trailer(session, id, views.data(), views.size());
    }
    return static_cast<ssize_t>(part);
  }
  // What came of a block before it was given up (its stream is none that a GOAWAY left) is no part of the next.
  static int on_begin(nghttp2_session*, const nghttp2_frame*, void* user) {
    static_cast<Http2Server*>(user)->block_.clear();
    return 0;
  }
  static int on_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name, std::size_t name_size,
                       const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user) {
    static_cast<Http2Server*>(user)->block_.emplace_back(std::string(reinterpret_cast<const char*>(name), name_size),
                                                         std::string(reinterpret_cast<const char*>(value), value_size));
    return 0;
  }
  static int on_data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* data, std::size_t size,
                     void* user) {
    static_cast<Http2Server*>(user)->requests_[id].body.append(reinterpret_cast<const char*>(data), size);
    return 0;
  }
  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    Http2Server& self = *static_cast<Http2Server*>(user);
    const bool last = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (frame->hd.type == NGHTTP2_HEADERS) {
      Request& request = self.requests_[frame->hd.stream_id];
      (request.has_head ? request.trailers : request.head) = std::exchange(self.block_, {});
      request.has_head = true;
      request.whole = last;
    } else if (frame->hd.type == NGHTTP2_DATA) {
      self.requests_[frame->hd.stream_id].whole = last;
    } else if (frame->hd.type == NGHTTP2_GOAWAY) {
      self.farewell_ = frame->goaway.error_code;
    }
    return 0;
  }
  static int on_close(nghttp2_session*, std::int32_t id, std::uint32_t error, void* user) {
    static_cast<Http2Server*>(user)->requests_[id].closed = error;
    return 0;
  }

  std::unique_ptr<nghttp2_session, Deleter> session_;
  std::map<std::int32_t, std::unique_ptr<Sending>> sending_;
  std::map<std::int32_t, Request> requests_;
  std::optional<std::uint32_t> farewell_;
  Lines block_;
  int error_ = 0;
};

}  // namespace rproxy::test
