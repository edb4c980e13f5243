// What nghttp2 calls while it is fed and drained.
#pragma once

#include "http2/session.h"

namespace rproxy::http2 {

struct Session::Callbacks {
  static nghttp2_session_callbacks* make();
  static Session& self(void* user) { return *static_cast<Session*>(user); }

  // ---- In.
  static int on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user);
  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
                       const std::uint8_t* value, std::size_t value_size, std::uint8_t flags, void* user);
  static int on_invalid_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                               std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                               std::uint8_t flags, void* user);
  static int on_data_chunk(nghttp2_session*, std::uint8_t flags, std::int32_t id, const std::uint8_t* data,
                           std::size_t size, void* user);
  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user);
  static int on_stream_close(nghttp2_session*, std::int32_t id, std::uint32_t error, void* user);

  // ---- Out.
  static ssize_t content_room(nghttp2_session*, std::uint8_t type, std::int32_t id, std::int32_t session_window,
                              std::int32_t stream_window, std::uint32_t frame_max, void* user);
  static ssize_t offer_content(nghttp2_session*, std::int32_t id, std::uint8_t* buffer, std::size_t size,
                               std::uint32_t* flags, nghttp2_data_source*, void* user);
  static int take_content(nghttp2_session*, nghttp2_frame* frame, const std::uint8_t* head, std::size_t size,
                          nghttp2_data_source*, void* user);
  static int on_sent(nghttp2_session*, const nghttp2_frame* frame, void* user);
};

}  // namespace rproxy::http2
