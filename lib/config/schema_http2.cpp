#include <limits>

#include "config/schema.h"

namespace rproxy::config {
namespace {

constexpr std::int64_t kMax32 = std::numeric_limits<std::int32_t>::max();
// Less than the protocol's own defaults would break clients that begin before they have read ours.
constexpr std::uint64_t kWindowMin = 65535;
constexpr std::uint64_t kWindowMax = kMax32;

using O = http2::Options;
using A = http2::AbuseLimits;
constexpr Key<O> kHttp2[] = {
    ranged<1, 100'000, &O::max_streams>("max_streams", "requests at once on a connection"),
    sized<kWindowMin, kWindowMax, &O::stream_window>("stream_window",
                                                     "request content in flight, and held, per stream"),
    sized<kWindowMin, kWindowMax, &O::connection_window>("connection_window",
                                                         "request content in flight on a connection"),
    ranged<16384, 16'777'215, &O::max_frame_size>("max_frame_size", "bytes of a frame that is taken"),
    sized<0, 65536, &O::header_table>("header_table", "HPACK's table of headers, each way"),
    ranged<0, 1000, &O::max_continuations>("max_continuations", "frames that one header section may go on for"),
    ranged<1, kMax32, &O::abuse, &A::frame_burst>(
        "frame_burst", "frames that carry no work before the connection is closed; work done allows more"),
    ranged<0, kMax32, &O::abuse, &A::frame_rate>("frame_rate", "such frames allowed a second"),
    ranged<1, kMax32, &O::abuse, &A::reset_burst>(
        "reset_burst", "requests given up before the connection is closed; each answer allows one more"),
    ranged<0, kMax32, &O::abuse, &A::reset_rate>("reset_rate", "such requests allowed a second"),
};

}  // namespace

Keys<http2::Options> http2_keys() { return kHttp2; }

void decode_protocols(Problems& problems, const Node& node, std::vector<std::string>& out) {
  if (!expect(problems, node, Node::Kind::kArray, "an array of protocols", "[\"h2\", \"http/1.1\"]")) return;
  out.clear();
  for (const Node& item : node.items) {
    if (item.is_broken) continue;
    const int word = decode_word(problems, item, {kProtocols.begin(), kProtocols.end()});
    if (word >= 0) out.emplace_back(kProtocols.at(static_cast<std::size_t>(word)));
  }
  if (node.items.empty()) {
    problems.error("RP1005", node.at, "no protocol to speak", "write [\"h2\", \"http/1.1\"], or delete the key");
  }
}

}  // namespace rproxy::config
