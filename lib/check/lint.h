// What is allowed in a configuration and yet rarely meant: findings beyond those of config::load(). Of files it reads
// certificates alone, and it asks no network.
#pragma once

#include <vector>

#include "config/load.h"

namespace rproxy::check {

// RP20xx of routes, RP21xx of upstreams, RP22xx of who is trusted, RP23xx of certificates, RP25xx of caches; all are warnings. Needs loaded.ok().
std::vector<config::Diagnostic> lint(const config::Loaded& loaded);

}  // namespace rproxy::check
