#include "sim/http2_origin.h"

#include <algorithm>
#include <utility>

#include "sim/http2_text.h"

namespace rproxy::sim {
namespace {

using Then = OriginScript::Then;

std::uint32_t window_of(World& world) {
  return world.in_pieces() ? static_cast<std::uint32_t>(1 + world.below(4096)) : 65535;
}

// Some let few requests in at once.
test::Http2Server::Settings settings_of(World& world) {
  if (!world.one_in(2)) return {};
  return {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, static_cast<std::uint32_t>(1 + world.below(3))}};
}

test::Lines head_of(const Message& said) {
  test::Lines lines = lines_of(said.head, true);
  std::erase_if(lines, is_of_http1);
  lines.insert(lines.begin(), {":status", said.name()});
  return lines;
}

bool is_bare(const Message& said, std::string_view method) {
  return method == "HEAD" || said.name() == "204" || said.name() == "304";
}

bool ends_by_close(const Message& said) {
  return said.field("content-length").empty() && said.field("transfer-encoding").empty();
}

}  // namespace

Origin::Http2Connection::Http2Connection(Origin& origin)
    : line(origin.world_, *this, nullptr, true),
      origin_(origin),
      session_(settings_of(origin.world_), window_of(origin.world_)) {
  flush();
}

void Origin::Http2Connection::on_bytes(std::string_view bytes) {
  if (has_left_) return;
  session_.receive(bytes);
  serve();
  if (has_left_) return;
  flush();
  if (then_ == Then::kFinish && has_done_all()) leave(false);
}

void Origin::Http2Connection::on_end(End end) {
  if (end == End::kFin) line->finish();
  has_left_ = true;
}

void Origin::Http2Connection::serve() {
  for (const auto& [id, request] : session_.requests()) {
    Seen& seen = seen_[id];
    if (request.has_head && !seen.head && !begin(id, seen)) return;
    if (request.whole && !seen.whole) complete(id, seen);
  }
}

// What it has promised to look at.
bool Origin::Http2Connection::has_done_all() const {
  return std::all_of(seen_.begin(), seen_.end(), [this](const auto& each) {
    return each.first > last_ || session_.request(each.first).closed.has_value();
  });
}

bool Origin::Http2Connection::begin(std::int32_t id, Seen& seen) {
  if (then_ == Then::kFinishOnNext || then_ == Then::kResetOnNext) return leave(then_ == Then::kResetOnNext), false;
  // It was told that this one is not looked at.
  if (then_ == Then::kFinish && id > last_) return true;
  last_ = id;
  seen.head = true;
  seen.is_mute = ++origin_.heads_[name(id)] == 1 && script(id).is_mute_first;
  seen.said = script(id).on_head;
  speak(id, seen, false);
  if (script(id).then != Then::kFinishEarly) return true;
  // As some do who have not read the request's content.
  flush();
  session_.reset(id, NGHTTP2_NO_ERROR);
  return true;
}

void Origin::Http2Connection::complete(std::int32_t id, Seen& seen) {
  if (!seen.head) return;
  const auto& request = session_.request(id);
  seen.whole = true;
  Message got;
  got.head = name(id) + " HTTP/2\r\n" + text_of(request.head);
  got.body = request.body;
  got.trailers = text_of(request.trailers);
  got.whole = true;
  origin_.requests_.push_back(std::move(got));
  if (seen.is_mute) return;
  seen.said += script(id).on_content;
  speak(id, seen, true);
  // Once it has said that it goes, it does.
  if (then_ == Then::kFinish) return;
  then_ = script(id).then;
  if (then_ == Then::kFinish) session_.go_away(last_);
}

void Origin::Http2Connection::speak(std::int32_t id, Seen& seen, bool is_all) {
  const std::string asked = name(id);
  const std::string method = asked.substr(0, asked.find(' '));
  while (!seen.answered) {
    const Message said = read_response(seen.said, method, is_all && script(id).then == Then::kFinish);
    if (said.head.empty()) return;
    if (said.name()[0] == '1') {
      session_.interim(id, head_of(said));
      seen.said.erase(0, said.size);
    } else if (said.whole || is_all) {
      seen.answered = true;
      answer(id, said, is_bare(said, method));
    } else {
      return;
    }
  }
}

void Origin::Http2Connection::answer(std::int32_t id, const Message& said, bool has_no_content) {
  const bool is_whole = said.whole && script(id).then != Then::kFinishEarly;
  if (has_no_content || (is_whole && said.body.empty() && said.trailers.empty() && origin_.world_.one_in(2))) {
    return session_.answer(id, head_of(said));
  }
  session_.answer(id, head_of(said), said.body, is_whole, lines_of(said.trailers, false));
  if (said.whole || ends_by_close(said)) return;
  // Cut short: by the stream's end, or by the connection's, which its script says.
  flush();
  if (origin_.world_.one_in(2)) session_.reset(id, NGHTTP2_INTERNAL_ERROR);
}

void Origin::Http2Connection::leave(bool reset) {
  has_left_ = true;
  if (reset) return line->reset();
  session_.terminate();
  flush();
  line->finish();
}

std::string Origin::Http2Connection::name(std::int32_t id) const {
  const auto& head = session_.request(id).head;
  return test::value_of(head, ":method") + " " + test::value_of(head, ":path");
}

bool can_be_http2_upstream(const Scenario& scenario) {
  // It has no words for bytes that nobody asked for, nor for two of a kind; a content that was read is not sent again.
  return !scenario.is_whole_only && scenario.expected.front().status != "101" && scenario.name != "malformed_answer" &&
         scenario.name != "answer_with_two_lengths" && !scenario.name.starts_with("chunked_answer_gone_bad") &&
         scenario.name != "answer_with_too_large_head" && scenario.name != "post_on_a_kept_connection_that_ends";
}

}  // namespace rproxy::sim
