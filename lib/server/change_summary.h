// What a reload has changed, in short.
#pragma once

#include <string>
#include <string_view>

namespace rproxy::server {

// Of two effective configurations, as config::render_effective() gives them: "listen, upstreams.app, upstreams.new added, 2 routes added";
// "nothing" where all is the same.
std::string change_summary(std::string_view before, std::string_view after);

}  // namespace rproxy::server
