#include "http2/session.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <new>

#include "http/characters.h"
#include "http2/field_names.h"
#include "http2/pooled_memory.h"
#include "http2/session_callbacks.h"

namespace rproxy::http2 {

using http::FieldId;

namespace {

struct FreeCallbacks {
  void operator()(nghttp2_session_callbacks* callbacks) const { nghttp2_session_callbacks_del(callbacks); }
};
struct FreeOption {
  void operator()(nghttp2_option* option) const { nghttp2_option_del(option); }
};

// Those of one connection are not of this version (RFC 9113 8.2.2), and the others are said by pseudo-headers or from what is known.
bool is_left_out(FieldId id) {
  switch (id) {
    case FieldId::kConnection:
    case FieldId::kKeepAlive:
    case FieldId::kProxyConnection:
    case FieldId::kTransferEncoding:
    case FieldId::kUpgrade:
    case FieldId::kHttp2Settings:
    case FieldId::kTe:
    case FieldId::kSecWebsocketKey:
    case FieldId::kSecWebsocketAccept:
    case FieldId::kHost:
    case FieldId::kContentLength:
      return true;
    default:
      return false;
  }
}

// As many as may be open can be reset at once, while frames of theirs are on their way.
constexpr std::size_t kRecentStreams = 64;
// RFC 9113 6.5.2.
constexpr std::uint32_t kDefaultFrameSize = 16384;
// Our own limits come first; these must not. CONTINUATION frames nghttp2 counts once for each piece that their heads come in.
constexpr std::uint64_t kNeverReached = 1'000'000'000;

}  // namespace

Session::Session(Role role, const Options& options, const http::HeadLimits& head, Acceptor* acceptor)
    : options_(options),
      head_(head),
      acceptor_(acceptor),
      budget_(options.abuse),
      watch_(role == Role::kServer ? NGHTTP2_CLIENT_MAGIC_LEN : 0),
      reset_(options.max_streams + kRecentStreams),
      closed_(kRecentStreams) {
  make_session(role);
  submit_settings(role);
}

Session::~Session() = default;

void Session::make_session(Role role) {
  static const std::unique_ptr<nghttp2_session_callbacks, FreeCallbacks> callbacks(Callbacks::make());
  nghttp2_option* made_option = nullptr;
  if (!callbacks || nghttp2_option_new(&made_option) != 0) throw std::bad_alloc();
  const std::unique_ptr<nghttp2_option, FreeOption> option(made_option);
  nghttp2_option_set_no_auto_window_update(option.get(), 1);
  nghttp2_option_set_no_closed_streams(option.get(), 1);
  nghttp2_option_set_stream_reset_rate_limit(option.get(), kNeverReached, kNeverReached);
  nghttp2_option_set_max_continuations(option.get(), kNeverReached);
  nghttp2_option_set_max_deflate_dynamic_table_size(option.get(), options_.header_table.bytes);
  nghttp2_option_set_builtin_recv_extension_type(option.get(), NGHTTP2_PRIORITY_UPDATE);
  // What is sent was within the limits of the side it came from, which are not ours; a head over this one would never leave.
  nghttp2_option_set_max_send_header_block_length(option.get(), kNeverReached);
  nghttp2_session* made = nullptr;
  const auto create = role == Role::kServer ? nghttp2_session_server_new3 : nghttp2_session_client_new3;
  if (create(&made, callbacks.get(), this, option.get(), pooled_memory()) != 0) throw std::bad_alloc();
  session_.reset(made);
}

void Session::submit_settings(Role role) {
  nghttp2_settings_entry entries[8];
  std::size_t count = 0;
  const auto add = [&](nghttp2_settings_id id, std::uint64_t value) {
    entries[count++] = {id, static_cast<std::uint32_t>(value)};
  };
  if (role == Role::kServer) {
    add(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, options_.max_streams);
    add(NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1);
    add(NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1);
  } else {
    add(NGHTTP2_SETTINGS_ENABLE_PUSH, 0);
  }
  add(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, options_.stream_window.bytes);
  add(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, head_.head.bytes);
  if (options_.max_frame_size != kDefaultFrameSize) {
    add(NGHTTP2_SETTINGS_MAX_FRAME_SIZE, options_.max_frame_size);
  }
  if (options_.header_table.bytes != NGHTTP2_DEFAULT_HEADER_TABLE_SIZE) {
    add(NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, options_.header_table.bytes);
  }
  nghttp2_submit_settings(session_.get(), NGHTTP2_FLAG_NONE, entries, count);
  nghttp2_session_set_local_window_size(session_.get(), NGHTTP2_FLAG_NONE, 0,
                                        static_cast<std::int32_t>(options_.connection_window.bytes));
}

bool Session::feed(std::string_view bytes, TimePoint now) {
  budget_.refill(now);
  std::size_t passed_on = 0;
  for (std::size_t seen = 0; seen < bytes.size() && !broken_ && !deaf_;) {
    seen += watch_.advance(bytes.substr(seen));
    // nghttp2 sees all that came before a head, so that the frame is looked at in the state it meets, and nothing of one not looked at.
    const std::size_t until = seen - watch_.head_bytes();
    receive(bytes.substr(passed_on, until - passed_on));
    passed_on = until;
    if (!watch_.has_head()) return !broken_;
    if (!broken_) look_at(watch_.head());
    if (!broken_ && !deaf_) receive(watch_.begun());
  }
  if (!broken_ && !deaf_) receive(bytes.substr(passed_on));
  return !broken_;
}

void Session::receive(std::string_view bytes) {
  if (bytes.empty()) return;
  const auto used =
      nghttp2_session_mem_recv(session_.get(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (used < 0) break_off(static_cast<int>(used));
}

// nghttp2 has given up and says nothing any more, so the peer is told by hand.
void Session::break_off(int error) {
  broken_ = true;
  auto word = static_cast<std::uint32_t>(NGHTTP2_INTERNAL_ERROR);
  switch (error) {
    case NGHTTP2_ERR_BAD_CLIENT_MAGIC:
      word = NGHTTP2_PROTOCOL_ERROR;
      break;
    case NGHTTP2_ERR_FLOODED:
      abuse_ = "answers that nobody takes";
      break;
    default:
      break;
  }
  if (!abuse_.empty()) word = NGHTTP2_ENHANCE_YOUR_CALM;
  const auto last = static_cast<std::uint32_t>(nghttp2_session_get_last_proc_stream_id(session_.get()));
  farewell_.assign({0, 0, 8, NGHTTP2_GOAWAY, 0, 0, 0, 0, 0});
  for (const std::uint32_t number : {last, word}) {
    for (int shift = 24; shift >= 0; shift -= 8) farewell_.push_back(static_cast<char>(number >> shift & 0xff));
  }
}

void Session::append_unsent(Output& out) {
  const std::size_t size = std::min(out.room(), unsent_.size());
  if (size > 0) std::memcpy(out.data + out.size, unsent_.data(), size);
  out.size += size;
  unsent_.remove_prefix(size);
}

void Session::drain(Output& out) {
  append_unsent(out);
  draining_ = &out;
  while (!broken_ && unsent_.empty() && out.room() >= kRoomMin) {
    const std::uint8_t* data = nullptr;
    const auto size = nghttp2_session_mem_send(session_.get(), &data);
    if (size < 0) break_off(static_cast<int>(size));
    if (size <= 0) break;
    unsent_ = {reinterpret_cast<const char*>(data), static_cast<std::size_t>(size)};
    append_unsent(out);
  }
  draining_ = nullptr;
  if (!broken_ || !unsent_.empty() || farewell_.empty() || out.room() < farewell_.size()) return;
  unsent_ = farewell_;
  append_unsent(out);
  farewell_.clear();
}

bool Session::wants_to_send() const {
  if (!unsent_.empty()) return true;
  return broken_ ? !farewell_.empty() : nghttp2_session_want_write(session_.get()) != 0;
}

bool Session::is_over() const {
  if (wants_to_send()) return false;
  return broken_ || nghttp2_session_want_read(session_.get()) == 0;
}

Stream* Session::find(std::int32_t id) {
  if (found_ == nullptr || found_->id != id) {
    found_ = static_cast<Stream*>(nghttp2_session_get_stream_user_data(session_.get(), id));
  }
  return found_;
}

void Session::forget(const Stream& stream) {
  --open_streams_;
  if (found_ == &stream) found_ = nullptr;
  nghttp2_session_set_stream_user_data(session_.get(), stream.id, nullptr);
}

void Session::put(std::string_view name, std::string_view value, std::uint8_t flags) {
  const auto bytes = [](std::string_view text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  };
  lines_.push_back({bytes(name), bytes(value), name.size(), value.size(), flags});
}

// nghttp2 copies what it is given, names in lower case, but for those it need not.
void Session::set_fields(const http::Fields& fields) {
  for (const auto& field : fields) {
    if (is_left_out(field.id)) continue;
    if (field.id == FieldId::kOther) {
      put(field.name, field.value, NGHTTP2_NV_FLAG_NONE);
    } else {
      put_known(lower_case_name(field.id), field.value);
    }
  }
}

void Session::set_status(std::uint16_t status) {
  std::to_chars(status_, status_ + sizeof(status_), status);
  put_known(":status", {status_, sizeof(status_)});
}

void Session::set_length(http::BodyLength length) {
  if (length.kind != http::BodyLength::Kind::kFixed) return;
  const char* end = std::to_chars(digits_, digits_ + sizeof(digits_), length.bytes).ptr;
  put_known("content-length", {digits_, static_cast<std::size_t>(end - digits_)});
}

void Session::respond(Stream& stream, const http::ResponseHead& head, http::BodyLength length, bool has_content) {
  if (stream.id == 0) return;
  lines_.clear();
  set_status(head.status);
  set_fields(head.fields);
  set_length(length);
  nghttp2_data_provider content{};
  content.source.ptr = nullptr;
  content.read_callback = Callbacks::offer_content;
  nghttp2_submit_response(session_.get(), stream.id, lines_.data(), lines_.size(), has_content ? &content : nullptr);
  set_priority(stream, head.fields);
}

// RFC 9218 8: the server's word may override the client's; of what it does not speak, that stands.
void Session::set_priority(const Stream& stream, const http::Fields& fields) {
  const auto* field = fields.find(FieldId::kPriority);
  if (field == nullptr) return;
  const nghttp2_extpri priority = read_priority(field->value, stream.priority);
  nghttp2_session_change_extpri_stream_priority(session_.get(), stream.id, &priority, 1);
}

void Session::respond_interim(const Stream& stream, const http::ResponseHead& head) {
  if (stream.id == 0) return;
  lines_.clear();
  set_status(head.status);
  set_fields(head.fields);
  nghttp2_submit_headers(session_.get(), NGHTTP2_FLAG_NONE, stream.id, nullptr, lines_.data(), lines_.size(), nullptr);
}

bool Session::request(Stream& stream, const http::RequestHead& head, http::BodyLength length, bool has_content) {
  lines_.clear();
  put_known(":method", head.upgrade ? "CONNECT" : head.method);
  if (head.upgrade) put_known(":protocol", head.fields.get(FieldId::kUpgrade));
  put_known(":scheme", head.scheme);
  put_known(":authority", head.authority);
  if (head.has_query) {
    target_.assign(head.path).append("?").append(head.query);
    put_known(":path", target_);
  } else {
    put_known(":path", head.path);
  }
  set_fields(head.fields);
  set_length(length);
  // We do take trailers, whoever asked (RFC 9110 10.1.4); gRPC servers insist on it.
  put_known("te", "trailers");
  nghttp2_data_provider content{};
  content.source.ptr = nullptr;
  content.read_callback = Callbacks::offer_content;
  const auto id = nghttp2_submit_request(session_.get(), nullptr, lines_.data(), lines_.size(),
                                         has_content ? &content : nullptr, &stream);
  if (id < 0) return false;
  stream.id = id;
  ++open_streams_;
  return true;
}

bool Session::can_request() const {
  return !broken_ && !deaf_ && nghttp2_session_check_request_allowed(session_.get()) != 0;
}

std::uint32_t Session::peer_max_streams() const {
  return nghttp2_session_get_remote_settings(session_.get(), NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

bool Session::peer_takes_websockets() const {
  return nghttp2_session_get_remote_settings(session_.get(), NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) != 0;
}

void Session::ping() { nghttp2_submit_ping(session_.get(), NGHTTP2_FLAG_NONE, nullptr); }

void Session::resume(const Stream& stream) {
  if (stream.id != 0) nghttp2_session_resume_data(session_.get(), stream.id);
}

void Session::consumed(const Stream& stream, std::size_t size) {
  if (stream.id != 0) nghttp2_session_consume_stream(session_.get(), stream.id, size);
}

bool Session::has_window(const Stream& stream) const {
  return stream.id != 0 && nghttp2_session_get_stream_remote_window_size(session_.get(), stream.id) > 0;
}

void Session::reset(const Stream& stream, ErrorWord word) {
  if (stream.id == 0) return;
  nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, stream.id, static_cast<std::uint32_t>(word));
}

void Session::detach(Stream& stream, ErrorWord word) {
  if (stream.id == 0) return;
  // A request whose head is still to be sent has no stream yet, but a name for it that must not outlive the owner.
  forget(stream);
  reset(stream, word);
  stream.id = 0;
}

void Session::announce_shutdown() { nghttp2_submit_shutdown_notice(session_.get()); }

void Session::shut_down() {
  nghttp2_submit_goaway(session_.get(), NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session_.get()),
                        NGHTTP2_NO_ERROR, nullptr, 0);
}

void Session::terminate(ErrorWord word) {
  deaf_ = true;
  nghttp2_session_terminate_session(session_.get(), static_cast<std::uint32_t>(word));
}

}  // namespace rproxy::http2
