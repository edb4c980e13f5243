// HTTP/1 towards clients: one straight coroutine per connection.
#pragma once

#include <memory>
#include <vector>

#include "downstream/options.h"
#include "downstream/users.h"
#include "exchange/exchange.h"
#include "exchange/request_ids.h"
#include "http/date.h"
#include "net/stream.h"
#include "net/task.h"

namespace rproxy::downstream {

struct Http1Exchange;

// Connections waiting for their next request, or able to do so beside others, so that a drain can end them.
class IdleConnections {
 public:
  class Entry {
   public:
    // `on_drain` may end the entry, and no other.
    Entry(IdleConnections& list, net::Waiter on_drain);
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    ~Entry();

   private:
    friend class IdleConnections;
    net::Waiter on_drain_;
    Entry* next_;
    Entry** link_;
  };

  // Tells every one of them, once a tick while the server goes.
  void drain();

 private:
  Entry* first_ = nullptr;
};

// What those of one worker's connections share that have begun under the same options. Outlives them.
struct Context {
  Context(const Options& chosen, net::Loop& event_loop, exchange::Handler& root, exchange::Observer* finished);
  ~Context();

  const Options& options;
  net::Loop& loop;
  Service service;                            // of requests that begin from now on; each keeps a copy until its end
  exchange::Observer* observer;               // may be null
  metrics::ListenerSeries* series = nullptr;  // of this worker; may be null
  IdleConnections idle;
  bool draining = false;
  bool speaks_http2 = true;  // with who begins so without being asked
  http::DateCache date;
  exchange::RequestIds ids;                           // for requests that never reach the handler
  std::vector<std::unique_ptr<Http1Exchange>> spare;  // kept warm between requests
  TimePoint abuse_told;                               // when the log last told of a connection closed for it...
  std::uint64_t abuse_untold = 0;                     // ...and how many there were since

  std::unique_ptr<Http1Exchange> take_exchange();
  void give_back(std::unique_ptr<Http1Exchange> exchange);
};

// Serves requests until the connection ends; by HTTP/2 where the client begins so and the options allow it. `client` is copied into each
// exchange.
net::Task<void> serve_http1(net::StreamPtr stream, exchange::Client client, Context& context);

}  // namespace rproxy::downstream
