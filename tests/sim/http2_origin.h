// An origin's connection that follows its script by HTTP/2, a stream for each request.
#pragma once

#include <map>
#include <string>

#include "sim/peers.h"
#include "support/http2_server.h"

namespace rproxy::sim {

class Origin::Http2Connection final : public Peer {
 public:
  explicit Http2Connection(Origin& origin);

  Connected line;

 private:
  // One request so far.
  struct Seen {
    std::string said;  // of the script's answer, as HTTP/1 has it
    bool head = false;
    bool whole = false;
    bool answered = false;
    bool is_mute = false;
  };

  void on_bytes(std::string_view bytes) override;
  void on_end(End end) override;
  void serve();
  bool has_done_all() const;
  // False: the connection is no more.
  bool begin(std::int32_t id, Seen& seen);
  void complete(std::int32_t id, Seen& seen);
  void speak(std::int32_t id, Seen& seen, bool is_all);
  void answer(std::int32_t id, const Message& said, bool has_no_content);
  void flush() { line->send(session_.take()); }
  void leave(bool reset);
  std::string name(std::int32_t id) const;
  const OriginScript& script(std::int32_t id) const { return origin_.script_.at(name(id)); }

  Origin& origin_;
  test::Http2Server session_;
  std::map<std::int32_t, Seen> seen_;
  std::int32_t last_ = 0;
  OriginScript::Then then_ = OriginScript::Then::kKeep;
  bool has_left_ = false;
};

// Whether an HTTP/2 origin has words for it.
bool can_be_http2_upstream(const Scenario& scenario);

}  // namespace rproxy::sim
