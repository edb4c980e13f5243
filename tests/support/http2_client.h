// An HTTP/2 client on nghttp2's own session, as a machine: bytes in, bytes out, and what it has got for each of its requests.
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

namespace rproxy::test {

using Lines = std::vector<std::pair<std::string, std::string>>;

inline std::string value_of(const Lines& lines, std::string_view name) {
  for (const auto& [key, value] : lines) {
    if (key == name) return value;
  }
  return {};
}

class Http2Client {
 public:
  struct Request {
    std::string method = "GET";
    std::string path = "/";
    Lines fields = {};
    std::optional<std::string> body = {};  // none: the head ends the stream
    bool body_is_whole = true;             // or finish() says when
    Lines trailers = {};
    std::string authority = "sim";
    std::string protocol = {};  // extended CONNECT
  };
  struct Answer {
    std::vector<Lines> interim = {};
    Lines head = {};
    std::string body = {};
    Lines trailers = {};
    bool whole = false;                           // END_STREAM has come
    std::optional<std::uint32_t> closed = {};     // by that error word
    std::optional<std::uint32_t> was_reset = {};  // RST_STREAM has come

    std::string status() const { return value_of(head, ":status"); }
  };
  struct Goaway {
    std::int32_t last;
    std::uint32_t word;
  };

  // `window`: of each stream, where not the default. `reads`: content is used up as it comes.
  explicit Http2Client(std::uint32_t window = 65535, bool reads = true) : reads_(reads) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_option* option = nullptr;
    nghttp2_option_new(&option);
    if (!reads) nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_session* made = nullptr;
    nghttp2_session_client_new2(&made, callbacks, this, option);
    session_.reset(made);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    const nghttp2_settings_entry entries[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
                                              {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window}};
    nghttp2_submit_settings(made, NGHTTP2_FLAG_NONE, entries, 2);
  }
  Http2Client(const Http2Client&) = delete;
  Http2Client& operator=(const Http2Client&) = delete;

  // The stream's number.
  std::int32_t ask(const Request& request) {
    Lines lines{
        {":method", request.method}, {":scheme", "http"}, {":authority", request.authority}, {":path", request.path}};
    if (!request.protocol.empty()) lines.emplace_back(":protocol", request.protocol);
    lines.insert(lines.end(), request.fields.begin(), request.fields.end());
    return ask_raw(lines, request.body, request.body_is_whole, request.trailers);
  }
  std::int32_t ask_raw(const Lines& lines, std::optional<std::string> body = {}, bool whole = true,
                       Lines trailers = {}) {
    auto sending = std::make_unique<Sending>();
    const bool has_body = body.has_value();
    if (has_body) *sending = {std::move(*body), std::move(trailers), whole};
    nghttp2_data_provider provider{};
    provider.source.ptr = sending.get();
    provider.read_callback = read_body;
    const auto views = views_of(lines);
    const std::int32_t id =
        nghttp2_submit_request(session(), nullptr, views.data(), views.size(), has_body ? &provider : nullptr, nullptr);
    sending_[id] = std::move(sending);
    answers_[id];
    return id;
  }
  // More content of a request that is not whole yet.
  void say(std::int32_t id, std::string_view more) {
    sending_.at(id)->body += more;
    nghttp2_session_resume_data(session(), id);
  }
  void finish(std::int32_t id, Lines trailers = {}) {
    sending_.at(id)->trailers = std::move(trailers);
    sending_.at(id)->whole = true;
    nghttp2_session_resume_data(session(), id);
  }
  void reset(std::int32_t id, std::uint32_t word = NGHTTP2_CANCEL) {
    nghttp2_submit_rst_stream(session(), NGHTTP2_FLAG_NONE, id, word);
  }
  // Content of that stream has been used up, where the client does not say so by itself.
  void use_up(std::int32_t id, std::size_t size) { nghttp2_session_consume(session(), id, size); }

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

  const Answer& answer(std::int32_t id) const { return answers_.at(id); }
  const std::map<std::int32_t, Answer>& answers() const { return answers_; }
  const std::vector<Goaway>& goaways() const { return goaways_; }
  // What nghttp2 thought of the server's bytes; 0: nothing bad.
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
  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
                       const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user) {
    Http2Client& self = *static_cast<Http2Client*>(user);
    self.block_.emplace_back(std::string(reinterpret_cast<const char*>(name), name_size),
                             std::string(reinterpret_cast<const char*>(value), value_size));
    (void)frame;
    return 0;
  }
  static int on_data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* data, std::size_t size,
                     void* user) {
    static_cast<Http2Client*>(user)->answers_[id].body.append(reinterpret_cast<const char*>(data), size);
    return 0;
  }
  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    Http2Client& self = *static_cast<Http2Client*>(user);
    Answer& answer = self.answers_[frame->hd.stream_id];
    const bool last = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS: {
        Lines block = std::exchange(self.block_, {});
        if (value_of(block, ":status").starts_with("1")) {
          answer.interim.push_back(std::move(block));
        } else {
          (answer.head.empty() ? answer.head : answer.trailers) = std::move(block);
        }
        answer.whole = answer.whole || last;
        break;
      }
      case NGHTTP2_DATA:
        answer.whole = answer.whole || last;
        break;
      case NGHTTP2_RST_STREAM:
        answer.was_reset = frame->rst_stream.error_code;
        break;
      case NGHTTP2_GOAWAY:
        self.goaways_.push_back({frame->goaway.last_stream_id, frame->goaway.error_code});
        break;
      default:
        break;
    }
    return 0;
  }
  static int on_close(nghttp2_session*, std::int32_t id, std::uint32_t error, void* user) {
    static_cast<Http2Client*>(user)->answers_[id].closed = error;
    return 0;
  }

  std::unique_ptr<nghttp2_session, Deleter> session_;
  std::map<std::int32_t, std::unique_ptr<Sending>> sending_;
  std::map<std::int32_t, Answer> answers_;
  std::vector<Goaway> goaways_;
  Lines block_;
  bool reads_;
  int error_ = 0;
};

}  // namespace rproxy::test
