#include "http2/session_callbacks.h"

#include <algorithm>
#include <cstring>

namespace rproxy::http2 {
namespace {

constexpr std::size_t kFrameHead = 9;

std::string_view text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Of what we answer to a peer's mistakes; a stream that ends so cost us as much as one it had reset (CVE-2025-8671).
bool is_peers_fault(std::uint32_t error) {
  switch (error) {
    case NGHTTP2_PROTOCOL_ERROR:
    case NGHTTP2_FLOW_CONTROL_ERROR:
    case NGHTTP2_STREAM_CLOSED:
    case NGHTTP2_FRAME_SIZE_ERROR:
      return true;
    default:
      return false;
  }
}

}  // namespace

nghttp2_session_callbacks* Session::Callbacks::make() {
  nghttp2_session_callbacks* made = nullptr;
  if (nghttp2_session_callbacks_new(&made) != 0) return nullptr;
  nghttp2_session_callbacks_set_on_begin_headers_callback(made, on_begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(made, on_header);
  nghttp2_session_callbacks_set_on_invalid_header_callback(made, on_invalid_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, on_data_chunk);
  nghttp2_session_callbacks_set_on_frame_recv_callback(made, on_frame);
  nghttp2_session_callbacks_set_on_stream_close_callback(made, on_stream_close);
  nghttp2_session_callbacks_set_data_source_read_length_callback(made, content_room);
  nghttp2_session_callbacks_set_send_data_callback(made, take_content);
  nghttp2_session_callbacks_set_on_frame_send_callback(made, on_sent);
  return made;
}

int Session::Callbacks::on_begin_headers(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
  Session& self = Callbacks::self(user);
  self.open_block_ = frame->hd.stream_id;
  ++self.header_blocks_;
  if (frame->headers.cat != NGHTTP2_HCAT_REQUEST || self.acceptor_ == nullptr) return 0;
  Stream& stream = self.acceptor_->accept();
  stream.id = frame->hd.stream_id;
  self.opening_ = 0;
  self.found_ = &stream;
  ++self.open_streams_;
  nghttp2_session_set_stream_user_data(session, stream.id, &stream);
  return 0;
}

int Session::Callbacks::on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                                  std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                                  std::uint8_t, void* user) {
  Session& self = Callbacks::self(user);
  Stream* stream = self.find(frame->hd.stream_id);
  if (stream == nullptr || stream->block.add(text(name, name_size), text(value, value_size))) return 0;
  self.calm_down("header section far too large");
  return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

// nghttp2 would only drop the line (RFC 9113 8.2.1: the message is malformed).
int Session::Callbacks::on_invalid_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t*, std::size_t,
                                          const std::uint8_t*, std::size_t, std::uint8_t, void*) {
  return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

int Session::Callbacks::on_data_chunk(nghttp2_session* session, std::uint8_t, std::int32_t id, const std::uint8_t* data,
                                      std::size_t size, void* user) {
  Session& self = Callbacks::self(user);
  self.budget_.earn_content(size);
  // One stream whose content nobody reads must not stall the others: what is held is bounded by the streams' windows.
  nghttp2_session_consume_connection(session, size);
  if (Stream* stream = self.find(id)) {
    stream->bytes_received += size;
    stream->on_content(text(data, size));
  }
  return 0;
}

int Session::Callbacks::on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
  Session& self = Callbacks::self(user);
  const bool is_last = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
      self.open_block_ = 0;
      if (Stream* stream = self.find(frame->hd.stream_id)) {
        stream->bytes_received += frame->hd.length + kFrameHead;
        if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
          stream->priority = read_priority(stream->block.priority(), kDefaultPriority);
        }
        stream->on_block(is_last);
      }
      break;
    case NGHTTP2_DATA:
      if (frame->hd.length == frame->data.padlen && !is_last) self.spend_frames(1, "empty DATA frames");
      if (Stream* stream = self.find(frame->hd.stream_id)) {
        stream->bytes_received += kFrameHead;
        if (is_last) stream->on_end();
      }
      break;
    case NGHTTP2_RST_STREAM:
      if (self.acceptor_ != nullptr && self.find(frame->hd.stream_id) != nullptr) self.spend_reset();
      break;
    case NGHTTP2_PRIORITY_UPDATE: {
      const auto& update = *static_cast<const nghttp2_ext_priority_update*>(frame->ext.payload);
      if (Stream* stream = self.find(update.stream_id)) {
        stream->priority = read_priority(text(update.field_value, update.field_value_len), kDefaultPriority);
      }
      break;
    }
    case NGHTTP2_SETTINGS:
      self.has_peer_settings_ = true;
      break;
    case NGHTTP2_GOAWAY:
      self.going_away_ = true;
      break;
    case NGHTTP2_PING:
      if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) ++self.pongs_;
      break;
    default:
      break;
  }
  return 0;
}

int Session::Callbacks::on_stream_close(nghttp2_session*, std::int32_t id, std::uint32_t error, void* user) {
  Session& self = Callbacks::self(user);
  // A block that is malformed, or of no use any more, is not told of when it ends.
  if (id == self.open_block_) self.open_block_ = 0;
  if (Stream* stream = self.find(id)) {
    self.closed_.add(id);
    self.forget(*stream);
    stream->on_close(error);
  }
  return 0;
}

// No more than fits into the rest of what is being written.
ssize_t Session::Callbacks::content_room(nghttp2_session*, std::uint8_t, std::int32_t, std::int32_t session_window,
                                         std::int32_t stream_window, std::uint32_t frame_max, void* user) {
  const Session& self = Callbacks::self(user);
  std::size_t room = self.draining_ == nullptr ? 0 : self.draining_->room();
  // Kept for the next, empty one.
  if (room < kRoomMin) room = self.draining_ == nullptr ? kRoomMin : self.draining_->capacity;
  const auto window = std::min({session_window, stream_window, static_cast<std::int32_t>(frame_max)});
  return static_cast<ssize_t>(std::min<std::size_t>(static_cast<std::size_t>(window), room - kFrameHead));
}

ssize_t Session::Callbacks::offer_content(nghttp2_session* session, std::int32_t id, std::uint8_t*, std::size_t size,
                                          std::uint32_t* flags, nghttp2_data_source*, void* user) {
  Stream* stream = Callbacks::self(user).find(id);
  if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  if (!stream->has_out) return NGHTTP2_ERR_DEFERRED;
  const std::size_t offered = std::min(size, stream->out.size());
  *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (offered < stream->out.size() || !stream->out_is_last) return static_cast<ssize_t>(offered);
  *flags |= NGHTTP2_DATA_FLAG_EOF;
  if (stream->trailers != nullptr && !stream->trailers->empty()) {
    Session& self = Callbacks::self(user);
    self.lines_.clear();
    self.set_fields(*stream->trailers);
    if (nghttp2_submit_trailer(session, id, self.lines_.data(), self.lines_.size()) == 0) {
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    }
  }
  return static_cast<ssize_t>(offered);
}

int Session::Callbacks::take_content(nghttp2_session*, nghttp2_frame* frame, const std::uint8_t* head, std::size_t size,
                                     nghttp2_data_source*, void* user) {
  Session& self = Callbacks::self(user);
  Stream* stream = self.find(frame->hd.stream_id);
  // Taken back since the frame was made.
  if (stream == nullptr || stream->out.size() < size) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  Output& out = *self.draining_;
  if (out.room() < size + kFrameHead) return NGHTTP2_ERR_WOULDBLOCK;
  std::memcpy(out.data + out.size, head, kFrameHead);
  if (size > 0) std::memcpy(out.data + out.size + kFrameHead, stream->out.data(), size);
  out.size += size + kFrameHead;
  stream->bytes_sent += size + kFrameHead;
  self.content_sent_ += size;
  self.budget_.earn_content(size);
  stream->out.remove_prefix(size);
  if (!stream->out.empty()) return 0;
  stream->has_out = false;
  stream->sent_last = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  stream->on_taken();
  return stream->out_is_last ? 0 : NGHTTP2_ERR_PAUSE;
}

int Session::Callbacks::on_sent(nghttp2_session*, const nghttp2_frame* frame, void* user) {
  Session& self = Callbacks::self(user);
  if (frame->hd.type == NGHTTP2_HEADERS) {
    // What work there is: our answer, or our request.
    self.budget_.earn_answer();
    if (Stream* stream = self.find(frame->hd.stream_id)) {
      stream->bytes_sent += frame->hd.length + kFrameHead;
      stream->sent_last = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
      if (stream->sent_last) stream->on_taken();
    }
  } else if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code == NGHTTP2_ENHANCE_YOUR_CALM) {
    // nghttp2 says so by itself of one thing only.
    if (!self.deaf_) self.abuse_ = "SETTINGS of too many entries";
  } else if (frame->hd.type == NGHTTP2_RST_STREAM && self.acceptor_ != nullptr) {
    self.reset_.add(frame->hd.stream_id);
    if (is_peers_fault(frame->rst_stream.error_code)) self.spend_reset();
    // RFC 9113 6.9.2 wants the connection's end where a changed setting was the cause, and allows it elsewhere.
    if (frame->rst_stream.error_code == NGHTTP2_FLOW_CONTROL_ERROR) {
      self.terminate(ErrorWord::kFlowControlError);
    }
  }
  return 0;
}

}  // namespace rproxy::http2
