#include "sim/http2_client.h"

#include <algorithm>
#include <utility>

#include "sim/http2_text.h"

namespace rproxy::sim {
namespace {

Answer read_answer(const test::Http2Client::Answer& got) {
  Answer answer;
  for (const auto& interim : got.interim) answer.interim.push_back(test::value_of(interim, ":status"));
  if (got.head.empty()) return answer;
  answer.final.head = "HTTP/2 " + got.status() + "\r\n" + text_of(got.head);
  answer.final.body = got.body;
  answer.final.trailers = text_of(got.trailers);
  answer.final.whole = got.whole;
  return answer;
}

std::uint32_t window_of(World& world) {
  return world.in_pieces() ? static_cast<std::uint32_t>(1 + world.below(4096)) : 65535;
}

}  // namespace

Http2Client::Http2Client(World& world, const Scenario& scenario)
    : Client(world, scenario, nullptr), session_(window_of(world)) {}

void Http2Client::say(const std::string& text) {
  text_ += text;
  while (say_request()) {
  }
  line().send(session_.take());
}

bool Http2Client::say_request() {
  const Message request = read_request(text_);
  if (request.head.empty()) return false;
  if (!std::exchange(has_begun_, true)) {
    test::Http2Client::Request asked;
    asked.method = request.name().substr(0, request.name().find(' '));
    asked.path = request.name().substr(asked.method.size() + 1);
    asked.fields = lines_of(request.head, true);
    std::erase_if(asked.fields, is_of_http1);
    const bool is_bare = request.whole && request.body.empty() && asked.method != "POST";
    if (!is_bare) asked.body.emplace();
    asked.body_is_whole = is_bare;
    body_said_ = 0;
    ids_.push_back(session_.ask(asked));
    if (is_bare) has_begun_ = false;
  }
  if (has_begun_) {
    session_.say(ids_.back(), std::string_view(request.body).substr(body_said_));
    body_said_ = request.body.size();
    if (request.whole) session_.finish(ids_.back(), lines_of(request.trailers, false));
  }
  if (!request.whole) return false;
  has_begun_ = false;
  text_.erase(0, request.size);
  return true;
}

void Http2Client::hear(std::string_view bytes) {
  session_.receive(bytes);
  line().send(session_.take());
  received_.clear();
  for (const Answer& answer : answers().list) received_ += answer.final.canonical();
  for (const auto& [id, answer] : session_.answers()) {
    if (answer.closed) received_ += std::to_string(id) + " closed " + std::to_string(*answer.closed) + "\n";
  }
  for (const auto& goaway : session_.goaways()) received_ += "goaway " + std::to_string(goaway.word) + "\n";
  if (session_.error() != 0) received_ += nghttp2_strerror(session_.error());
}

// Of an interim answer, or of content.
bool Http2Client::has_heard(const std::string& text) const {
  const auto list = answers().list;
  return std::any_of(list.begin(), list.end(), [&](const Answer& answer) {
    const bool in_interim = std::any_of(answer.interim.begin(), answer.interim.end(),
                                        [&](const std::string& status) { return text.starts_with(status); });
    return in_interim || answer.final.body.find(text) != std::string::npos;
  });
}

Answers Http2Client::answers() const {
  Answers all;
  for (const std::int32_t id : ids_) all.list.push_back(read_answer(session_.answer(id)));
  all.list.resize(scenario().expected.size());
  return all;
}

bool can_be_http2(const Scenario& scenario) {
  const auto says = [&](std::string_view text) {
    return std::any_of(scenario.client.begin(), scenario.client.end(),
                       [&](const ClientStep& step) { return step.text.find(text) != std::string::npos; });
  };
  // A head that is far too large costs the connection.
  return !says("HTTP/1.0") && !says("Upgrade:") && scenario.name != "malformed_request" &&
         scenario.name != "request_with_too_large_head" && !scenario.name.starts_with("grpc");
}

}  // namespace rproxy::sim
