// How an Outcome becomes a failure.
#pragma once

#include <string>
#include <utility>

#include "acme/client.h"

namespace rproxy::acme {

inline tl::unexpected<Failure> failed(Failure failure) { return tl::unexpected<Failure>(std::move(failure)); }
inline tl::unexpected<Failure> failed(Error error) { return tl::unexpected<Failure>(Failure(std::move(error))); }
// The server has said what it must not, or has not said what it must.
inline tl::unexpected<Failure> bad_answer(std::string what) {
  return failed(Error(ErrorCode::kBadResponse, Side::kUpstream, Retry::kNever, 0, std::move(what)));
}

}  // namespace rproxy::acme
