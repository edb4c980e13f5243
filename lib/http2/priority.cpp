#include "http2/priority.h"

#include "http/characters.h"

namespace rproxy::http2 {

nghttp2_extpri read_priority(std::string_view text, nghttp2_extpri otherwise) {
  nghttp2_extpri priority = otherwise;
  http::for_each_element(text, [&](std::string_view part) {
    part = part.substr(0, part.find(';'));
    if (part.size() == 3 && part.starts_with("u=") && part[2] >= '0' && part[2] <= '7') {
      priority.urgency = static_cast<std::uint32_t>(part[2] - '0');
    }
    if (part == "i" || part == "i=?1") priority.inc = 1;
    if (part == "i=?0") priority.inc = 0;
    return true;
  });
  return priority;
}

}  // namespace rproxy::http2
