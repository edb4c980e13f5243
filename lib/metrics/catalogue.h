// The series of a configuration's routes and listeners. What the configuration before had under the same name goes on counting.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "metrics/series.h"
#include "metrics/sharded.h"
#include "metrics/word_counters.h"

namespace rproxy::metrics {

class Catalogue {
 public:
  template <typename T>
  using Shared = std::shared_ptr<Sharded<T>>;
  template <typename T>
  struct Named {
    std::string name;
    Shared<T> series;
  };

  Catalogue(const std::vector<std::string>& routes, const std::vector<std::string>& listeners,
            const Catalogue* previous = nullptr);

  // In the order of the names; where two have the same, they have the same series.
  const std::vector<Named<RouteSeries>>& routes() const { return routes_; }
  const std::vector<Named<ListenerSeries>>& listeners() const { return listeners_; }
  // Of requests that no route has taken.
  const Shared<RouteSeries>& unmatched() const { return unmatched_; }
  // How exchanges ended, where not well.
  const Shared<WordCounters>& terminations() const { return terminations_; }

 private:
  std::vector<Named<RouteSeries>> routes_;
  std::vector<Named<ListenerSeries>> listeners_;
  Shared<RouteSeries> unmatched_;
  Shared<WordCounters> terminations_;
};

}  // namespace rproxy::metrics
