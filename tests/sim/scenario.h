// A script of what a client and the origins say, and what must come of it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sim/message.h"

namespace rproxy::sim {

struct ClientStep {
  enum class Kind : std::uint8_t { kSend, kAwait, kAwaitAnswers, kFinish, kReset };
  Kind kind = Kind::kSend;
  std::string text;       // kSend; kAwait: until that has arrived
  std::size_t count = 0;  // kAwaitAnswers: until so many final answers are whole
};

inline ClientStep send(std::string text) { return {ClientStep::Kind::kSend, std::move(text), 0}; }
inline ClientStep await(std::string text) { return {ClientStep::Kind::kAwait, std::move(text), 0}; }
inline ClientStep await_answers(std::size_t count) { return {ClientStep::Kind::kAwaitAnswers, {}, count}; }
inline ClientStep finish() { return {ClientStep::Kind::kFinish, {}, 0}; }
inline ClientStep reset() { return {ClientStep::Kind::kReset, {}, 0}; }

// What an origin says to one kind of request ("GET /x").
struct OriginScript {
  // And afterwards: keeps the connection; ends it; ended it after on_head already; ends it when the next request comes;
  // echoes what it gets.
  enum class Then : std::uint8_t { kKeep, kFinish, kFinishEarly, kFinishOnNext, kResetOnNext, kEcho };
  std::string on_head;     // once the request's head is there
  std::string on_content;  // once all of it is
  Then then = Then::kKeep;
  bool is_mute_first = false;  // the first who asks for it gets no answer
};

// One request as the client means it, and the answer where nothing goes wrong.
struct Expected {
  std::string method;
  std::string status;
  std::string body = {};
  std::vector<std::string> interim = {};
  std::string trailers = {};

  // Not a page of the proxy's.
  bool has_own_content() const { return !body.empty() || status < "400"; }
};

struct Scenario {
  std::string name;
  std::vector<ClientStep> client;  // followed by: await all answers, finish
  std::map<std::string, OriginScript> origin;
  std::vector<Expected> expected;
  // How much of a request the origin gets depends on when it answers, and so may what becomes of the client's connection.
  bool is_racy = false;
  // An end of the origin's connection is the end of its content: nobody can tell it from a cut.
  bool origin_ends_content = false;
  bool is_uncertain = false;  // one side leaves: the client may or may not get its answers

  std::string decoded = {};  // what the origin gets as content of its POSTs, where that is not what the client sends

  // Of the two servers there are. kServers: each takes one request at once; kUpstream: both together do; kConnections: there may be one.
  enum class Room : std::uint8_t { kAny, kServers, kUpstream, kConnections };
  Room room = Room::kAny;
  bool hedges = false;         // a second try is made beside a first that takes long
  bool caches = false;         // the route has a cache, which all clients share
  bool mirrors = false;        // the requests go to a shadow, too, which says the same
  bool spoils_kept = false;    // its origin's connections are no good for others either
  bool is_whole_only = false;  // in pieces, bytes that nobody asked for may come when a kept connection is in use again

  // What the client asks, as far as it says it.
  std::vector<Message> requests() const;
  // The same with other paths, to stand beside others.
  Scenario below(const std::string& directory) const;
  // The last answer has no other end.
  bool ends_by_close() const;
  // All requests may be sent twice.
  bool may_be_tried_again() const;

  std::vector<std::string> methods() const {
    std::vector<std::string> all;
    for (const auto& one : expected) all.push_back(one.method);
    return all;
  }
};

const std::vector<Scenario>& scenarios();

}  // namespace rproxy::sim
