// Turns a finished exchange into a line of the access log.
#pragma once

#include "exchange/exchange.h"
#include "proxy/access_log.h"

namespace rproxy::server {

class LogObserver final : public exchange::Observer {
 public:
  explicit LogObserver(proxy::AccessLogWriter& writer) : log_(writer) {}

  void finished(const exchange::Request& request, const exchange::Outcome& outcome) override;
  void flush() { log_.flush(); }

 private:
  proxy::AccessLog log_;
};

}  // namespace rproxy::server
