#include <array>
#include <limits>

#include "config/schema.h"
#include "config/values.h"

namespace rproxy::config {
namespace {

constexpr std::int64_t kMax32 = std::numeric_limits<std::uint32_t>::max();

using L = balance::LimitOptions;
constexpr Key<L> kLimits[] = {
    key<&L::max_connections>("max_connections", "to all servers together, over all workers; 0: no limit"),
    key<&L::max_pending>("max_pending", "requests that wait in the queue, or for a new connection; 0: no limit"),
    key<&L::max_requests>("max_requests", "at once; 0: no limit"),
    key<&L::max_retries>("max_retries", "at once; 0: no limit but the retry budget"),
    ranged<0, 100, &L::error_percent>(
        "error_percent", "of the last ten seconds' requests failed: all are refused for a while; 0: never"),
    ranged<1, kMax32, &L::error_requests>("error_requests", "in ten seconds, for error_percent to mean something"),
    lasting<&L::open_time>("open_time", "so long requests are refused; then some probe whether it is well"),
    ranged<1, 1000, &L::probes>("probes", "so many that do well end the refusing"),
};

using Q = upstream::QueueOptions;
constexpr Key<Q> kQueue[] = {
    ranged<0, 1'000'000, &Q::size>("size", "requests at once, over all workers; more are answered 503; 0: no queue"),
    lasting<&Q::timeout>("timeout", "who has waited so long is answered 503"),
};

}  // namespace

Keys<L> limit_keys() { return kLimits; }
Keys<Q> queue_keys() { return kQueue; }

void decode_limits(Problems& problems, const Node& node, upstream::Options& out) {
  decode_table<L>(problems, node, "limits", kLimits, out.limits);
}

void decode_queue(Problems& problems, const Node& node, upstream::Options& out) {
  if (node.is(Node::Kind::kBool) && !node.flag) {
    out.queue.size = 0;
    return;
  }
  decode_table<Q>(problems, node, "queue", kQueue, out.queue);
}

}  // namespace rproxy::config
