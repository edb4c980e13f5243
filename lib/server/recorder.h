// Counts what has been served, and then lets the access log have it.
#pragma once

#include "exchange/exchange.h"
#include "metrics/catalogue.h"

namespace rproxy::server {

class Recorder final : public exchange::Observer {
 public:
  // Of one worker, which has that number. `next` may be null.
  Recorder(const metrics::Catalogue& catalogue, std::size_t worker, exchange::Observer* next)
      : unmatched_(catalogue.unmatched()),
        terminations_(catalogue.terminations()),
        unmatched_here_(unmatched_->of(worker)),
        terminations_here_(terminations_->of(worker)),
        next_(next) {}

  void hand_on_to(exchange::Observer* next) { next_ = next; }
  void finished(const exchange::Request& request, const exchange::Outcome& outcome) override;

 private:
  metrics::Catalogue::Shared<metrics::RouteSeries> unmatched_;
  metrics::Catalogue::Shared<metrics::WordCounters> terminations_;
  metrics::RouteSeries& unmatched_here_;
  metrics::WordCounters& terminations_here_;
  exchange::Observer* next_;
};

}  // namespace rproxy::server
