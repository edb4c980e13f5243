// A client that says a scenario's requests by HTTP/2, each on a stream of its own.
#pragma once

#include <string>
#include <vector>

#include "sim/peers.h"
#include "support/http2_client.h"

namespace rproxy::sim {

class Http2Client final : public Client {
 public:
  Http2Client(World& world, const Scenario& scenario);

  // One for each request, empty where none has come.
  Answers answers() const override;
  // What HTTP/2 must have thought of the server's bytes; 0: nothing bad.
  int error() const { return session_.error(); }

 private:
  void say(const std::string& text) override;
  void hear(std::string_view bytes) override;
  bool has_heard(const std::string& text) const override;
  // True when the request is whole and there may be another.
  bool say_request();

  test::Http2Client session_;
  std::string text_;  // of the script, not yet said for good
  std::vector<std::int32_t> ids_;
  bool has_begun_ = false;     // the request at the front of text_
  std::size_t body_said_ = 0;  // of its content
};

// Whether HTTP/2 has words for it.
bool can_be_http2(const Scenario& scenario);

}  // namespace rproxy::sim
