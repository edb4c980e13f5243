// HTTP/1 messages as the peers of the proxy read them: little code that shares nothing with what is tested.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rproxy::sim {

struct Message {
  std::string head;      // its lines
  std::string body;      // decoded
  std::string trailers;  // their lines
  bool whole = false;    // ended as its framing says
  std::size_t size = 0;  // bytes taken, if whole

  // "GET /x" of a request, "200" of a response.
  std::string name() const;
  std::string field(std::string_view name) const;
  // All of it, without what differs from run to run: how it was framed, ids, dates.
  std::string canonical() const;
};

// What can be told of the first message in `bytes`; an empty head where that has not arrived. `ended`: nothing follows, in order.
Message read_request(std::string_view bytes);
Message read_response(std::string_view bytes, std::string_view method, bool ended);

struct Answer {
  std::vector<std::string> interim;  // status codes
  Message final;
};

// All that a client has got for its requests (their methods in order). An answer that is not whole comes last.
struct Answers {
  std::vector<Answer> list;
  std::string rest;  // belongs to no answer
};
Answers read_answers(std::string_view bytes, const std::vector<std::string>& methods, bool ended);

}  // namespace rproxy::sim
