// HTTP/1 towards clients: one straight coroutine per connection.
#pragma once

#include <memory>
#include <vector>

#include "downstream/options.h"
#include "exchange/exchange.h"
#include "exchange/request_ids.h"
#include "http/date.h"
#include "net/stream.h"
#include "net/task.h"

namespace rproxy::downstream {

struct Http1Exchange;

// Connections waiting for their next request, so that a drain can end them.
class IdleConnections {
 public:
  class Entry {
   public:
    Entry(IdleConnections& list, net::Stream& stream);
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    ~Entry();

   private:
    friend class IdleConnections;
    net::Stream& stream_;
    Entry* next_;
    Entry** link_;
  };

  // Ends the wait of every one of them.
  void interrupt_all();

 private:
  Entry* first_ = nullptr;
};

// What one worker's connections share. Outlives them.
struct Context {
  Context(const Options& chosen, net::Loop& event_loop, exchange::Handler& root, exchange::Observer* finished);
  ~Context();

  const Options& options;
  net::Loop& loop;
  exchange::Handler& handler;
  exchange::Observer* observer;  // may be null
  IdleConnections idle;
  bool draining = false;
  http::DateCache date;
  exchange::RequestIds ids;                           // for requests that never reach the handler
  std::vector<std::unique_ptr<Http1Exchange>> spare;  // kept warm between requests

  std::unique_ptr<Http1Exchange> take_exchange();
  void give_back(std::unique_ptr<Http1Exchange> exchange);
};

// Serves requests until the connection ends. `client` is copied into each exchange.
net::Task<void> serve_http1(net::StreamPtr stream, exchange::Client client, Context& context);

}  // namespace rproxy::downstream
