#include "upstream/first_look.h"

#include <algorithm>
#include <memory>

#include "net/loop.h"
#include "net/resolver.h"

namespace rproxy::upstream {
namespace {

struct Look {
  net::Loop loop{4096};
  std::vector<std::unique_ptr<Discovery>> all;
  TimePoint end{};

  bool is_over() const {
    return loop.now() >= end || std::ranges::all_of(all, [](const auto& each) { return each->is_settled(); });
  }
};

}  // namespace

std::vector<DiscoverySources> look_once(const std::vector<const Options*>& upstreams,
                                        const net::ResolverOptions& resolver_options, const ParseServerList& parse_file,
                                        const std::vector<DiscoverySources>& known, Duration limit) {
  Look look;
  net::Resolver resolver(look.loop, resolver_options);
  look.end = look.loop.now() + limit;
  for (std::size_t i = 0; i < upstreams.size(); ++i) {
    Discovery::Setting setting;
    setting.parse_file = parse_file;
    setting.logs_changes = false;
    look.all.push_back(std::make_unique<Discovery>(look.loop, resolver, *upstreams[i], std::move(setting),
                                                   i < known.size() ? known[i] : DiscoverySources()));
    look.all.back()->start();
  }
  look.loop.on_tick(
      [](void* self) {
        auto& asking = *static_cast<Look*>(self);
        if (asking.is_over()) asking.loop.stop();
      },
      &look);
  if (!look.is_over()) look.loop.run();
  std::vector<DiscoverySources> out;
  for (const auto& each : look.all) out.push_back(each->sources());
  // Before the resolver that they ask.
  look.all.clear();
  return out;
}

}  // namespace rproxy::upstream
