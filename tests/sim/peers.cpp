#include "sim/peers.h"

#include <utility>

#include "sim/http2_origin.h"

namespace rproxy::sim {

Connected::Connected(World& world, Peer& script, SSL_CTX* tls, bool accepts)
    : tls_(tls != nullptr ? std::make_unique<TlsLine>(world, script, tls, accepts) : nullptr),
      wire_(tls_ ? tls_->wire() : std::make_shared<Wire>(world, script)) {}

Client::Client(World& world, const Scenario& scenario, TlsParts* tls)
    : world_(world),
      scenario_(scenario),
      line_(world, *this, tls != nullptr ? tls->client() : nullptr, false),
      steps_(scenario.client) {
  steps_.push_back(await_answers(scenario.expected.size()));
  steps_.push_back(finish());
  world_.add(*this);
}

void Client::on_bytes(std::string_view bytes) {
  hear(bytes);
  whole_answers_ = 0;
  for (const Answer& answer : answers().list) whole_answers_ += answer.final.whole ? 1 : 0;
}

unsigned Client::ready() const { return next_ < steps_.size() && may_go_on(steps_[next_]) ? 1 : 0; }

bool Client::may_go_on(const ClientStep& step) const {
  // Nothing more will come: what is left of the script is said, and then the end.
  if (end_ != End::kOpen) return true;
  switch (step.kind) {
    case ClientStep::Kind::kAwait:
      return has_heard(step.text);
    case ClientStep::Kind::kAwaitAnswers:
      return whole_answers_ >= step.count;
    default:
      return true;
  }
}

void Client::act(unsigned) {
  const ClientStep& step = steps_[next_++];
  switch (step.kind) {
    case ClientStep::Kind::kSend:
      return say(step.text);
    case ClientStep::Kind::kFinish:
      return line_->finish();
    case ClientStep::Kind::kReset:
      return line_->reset();
    default:
      return;
  }
}

class Origin::Connection final : public Peer {
 public:
  explicit Connection(Origin& origin)
      : line(origin.world_, *this, origin.tls_ != nullptr ? origin.tls_->server() : nullptr, true), origin_(origin) {}

  Connected line;

 private:
  void on_bytes(std::string_view bytes) override {
    if (closed_) return line->reset();
    if (then_ == OriginScript::Then::kEcho) return line->send(bytes);
    if (then_ != OriginScript::Then::kKeep) return close(then_ == OriginScript::Then::kResetOnNext);
    input_ += bytes;
    while (!closed_ && then_ == OriginScript::Then::kKeep && serve()) {
    }
  }

  void on_end(End end) override {
    if (end == End::kFin) line->finish();
    closed_ = true;
  }

  void close(bool reset) {
    closed_ = true;
    reset ? line->reset() : line->finish();
  }

  // True when a request was served and there may be another.
  bool serve() {
    Message request = read_request(input_);
    if (request.head.empty()) return false;
    const OriginScript& script = origin_.script_.at(request.name());
    if (!std::exchange(head_seen_, true)) {
      is_mute_ = ++origin_.heads_[request.name()] == 1 && script.is_mute_first;
      line->send(script.on_head);
      if (script.then == OriginScript::Then::kFinishEarly) return close(false), false;
    }
    if (!request.whole) return false;
    head_seen_ = false;
    input_.erase(0, request.size);
    if (is_mute_) {
      origin_.requests_.push_back(std::move(request));
      return true;
    }
    line->send(script.on_content);
    then_ = script.then;
    if (then_ == OriginScript::Then::kFinish) close(false);
    if (then_ == OriginScript::Then::kEcho) line->send(std::exchange(input_, {}));
    origin_.requests_.push_back(std::move(request));
    return true;
  }

  Origin& origin_;
  std::string input_;
  OriginScript::Then then_ = OriginScript::Then::kKeep;
  bool head_seen_ = false;
  bool is_mute_ = false;
  bool closed_ = false;
};

net::StreamPtr Origin::accept() {
  const auto open = [this](const auto& connection) {
    connections_.push_back(connection);
    return SimulatedStream::open(world_, Side::kUpstream, connection->line.wire());
  };
  return is_http2_ ? open(std::make_shared<Http2Connection>(*this)) : open(std::make_shared<Connection>(*this));
}

}  // namespace rproxy::sim
