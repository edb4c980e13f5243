// A request that waits for a flight, and reads what it has brought.
#pragma once

#include "exchange/exchange.h"
#include "proxy/cache_fetch.h"
#include "proxy/wakeup.h"
#include "storage/flight.h"

namespace rproxy::proxy {

// `own`: the fetch it has started itself, if any.
class Attendance {
 public:
  Attendance(net::Loop& loop, storage::Flight& flight, CacheFetch* own);
  Attendance(const Attendance&) = delete;
  Attendance& operator=(const Attendance&) = delete;
  ~Attendance();

  // Until it is settled. Interim answers go on to the client meanwhile.
  net::Task<void> wait(exchange::Request& request);

 private:
  void stop_listening();

  Wakeup wakeup_;
  storage::Flight& flight_;
  CacheFetch* own_;
  bool is_listening_ = false;
  bool was_told_ = false;
};

}  // namespace rproxy::proxy
