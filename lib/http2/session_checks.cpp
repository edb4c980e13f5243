// What nghttp2 lets pass, of a peer that errs or only costs.
#include <algorithm>
#include <utility>

#include "http2/session.h"

namespace rproxy::http2 {

void Session::look_at(const FrameHead& head) {
  charge_frame(head);
  if (acceptor_ == nullptr) {
    // Our first frame forbids it, though nghttp2 waits for that to be acknowledged (RFC 9113 8.4).
    if (head.type == NGHTTP2_PUSH_PROMISE) terminate(ErrorWord::kProtocolError);
    return;
  }
  charge_refused(head);
  check_closed(head);
  check_priority(head);
  // RFC 9113 4.2.
  if (head.type == NGHTTP2_CONTINUATION && head.length > options_.max_frame_size) terminate(ErrorWord::kFrameSizeError);
}

// A stream over their number nghttp2 refuses by itself. That costs as much as one given up, and at once: a peer that takes no answers, too,
// would make a heap of them.
void Session::charge_refused(const FrameHead& head) {
  if (const std::int32_t refused = std::exchange(opening_, 0); refused != 0) {
    reset_.add(refused);
    spend_reset();
  }
  if (head.type == NGHTTP2_HEADERS && head.stream > newest_) opening_ = newest_ = head.stream;
}

// RFC 9113 5.1 and 5.1.1: who has ended a stream, or passed it over, must not go on with it. nghttp2 keeps no closed streams.
void Session::check_closed(const FrameHead& head) {
  if (head.type != NGHTTP2_DATA && head.type != NGHTTP2_HEADERS) return;
  const bool is_known = head.stream > nghttp2_session_get_last_proc_stream_id(session_.get()) ||
                        nghttp2_session_find_stream(session_.get(), head.stream) != nullptr;
  if (is_known || head.stream == 0 || reset_.has(head.stream)) return;
  terminate(closed_.has(head.stream) ? ErrorWord::kStreamClosed : ErrorWord::kProtocolError);
}

// A server without the old priorities would not look at their frames at all (RFC 9113 6.3, RFC 7540 5.3.1, RFC 9218 7.1).
void Session::check_priority(const FrameHead& head) {
  const bool is_wrong = head.type == NGHTTP2_PRIORITY ? head.stream == 0 || head.named_stream == head.stream
                                                      : head.type == NGHTTP2_PRIORITY_UPDATE && head.named_stream == 0;
  if (is_wrong) terminate(ErrorWord::kProtocolError);
}

// ---- Abuse.

// DATA and HEADERS are judged by what is in them.
void Session::charge_frame(const FrameHead& head) {
  constexpr std::uint32_t kSetting = 6;
  // nghttp2 reads no more of one frame.
  constexpr std::uint32_t kSettingsMax = 32;
  if (head.type != NGHTTP2_CONTINUATION) continuations_ = 0;
  switch (head.type) {
    case NGHTTP2_DATA:
    case NGHTTP2_HEADERS:
      return;
    case NGHTTP2_CONTINUATION:
      if (++continuations_ > options_.max_continuations) calm_down("CONTINUATION frames without end");
      return;
    case NGHTTP2_SETTINGS:
      return spend_frames(std::min<std::uint32_t>(1 + head.length / kSetting, kSettingsMax), "SETTINGS frames");
    case NGHTTP2_PING:
      return spend_frames(1, "PING frames");
    case NGHTTP2_PRIORITY:
    case NGHTTP2_PRIORITY_UPDATE:
      return spend_frames(1, "priority frames");
    case NGHTTP2_WINDOW_UPDATE:
      return spend_frames(1, "WINDOW_UPDATE frames");
    case NGHTTP2_RST_STREAM:
      return spend_frames(1, "RST_STREAM frames");
    default:
      return spend_frames(1, "frames without use");
  }
}

void Session::spend_frames(std::uint32_t count, std::string_view abuse) {
  if (!budget_.spend_frames(count)) calm_down(abuse);
}

void Session::spend_reset() {
  if (!budget_.spend_reset()) calm_down("streams given up as soon as asked for");
}

void Session::calm_down(std::string_view abuse) {
  if (!abuse_.empty()) return;
  abuse_ = abuse;
  terminate(ErrorWord::kEnhanceYourCalm);
}

}  // namespace rproxy::http2
