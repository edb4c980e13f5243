#include "metrics/catalogue.h"

#include <unordered_map>

namespace rproxy::metrics {
namespace {

template <typename T>
std::vector<Catalogue::Named<T>> make(const std::vector<std::string>& names,
                                      const std::vector<Catalogue::Named<T>>* previous) {
  std::unordered_map<std::string, Catalogue::Shared<T>> known;
  if (previous != nullptr) {
    for (const auto& each : *previous) known.emplace(each.name, each.series);
  }
  std::vector<Catalogue::Named<T>> made;
  made.reserve(names.size());
  for (const auto& name : names) {
    auto& series = known[name];
    if (!series) series = std::make_shared<Sharded<T>>();
    made.push_back({name, series});
  }
  return made;
}

}  // namespace

Catalogue::Catalogue(const std::vector<std::string>& routes, const std::vector<std::string>& listeners,
                     const Catalogue* previous)
    : routes_(make<RouteSeries>(routes, previous != nullptr ? &previous->routes_ : nullptr)),
      listeners_(make<ListenerSeries>(listeners, previous != nullptr ? &previous->listeners_ : nullptr)),
      unmatched_(previous != nullptr ? previous->unmatched_ : std::make_shared<Sharded<RouteSeries>>()),
      terminations_(previous != nullptr ? previous->terminations_ : std::make_shared<Sharded<WordCounters>>()) {}

}  // namespace rproxy::metrics
