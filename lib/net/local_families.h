// Of which families this machine has addresses: what it can't send to is no use as an answer (as AI_ADDRCONFIG has it).
#pragma once

namespace rproxy::net {

struct LocalFamilies {
  bool v4 = false;  // an address beyond loopback and link
  bool v6 = false;
  bool loopback_v6 = false;  // ::1
};

// Of the interfaces just now; a machine that has neither may have both a moment later.
LocalFamilies local_families();

}  // namespace rproxy::net
