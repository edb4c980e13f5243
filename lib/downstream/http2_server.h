// HTTP/2 towards clients (RFC 9113): a connection reads, and each of its streams is an exchange with a coroutine of its own.
#pragma once

#include <memory>
#include <vector>

#include "downstream/http1_server.h"
#include "downstream/http2_exchange.h"
#include "exchange/http2_connection.h"
#include "net/deadline_wheel.h"

namespace rproxy::downstream {

class Http2ServerConnection final : public exchange::Http2Connection, private http2::Session::Acceptor {
 public:
  // `context` outlives the connection.
  Http2ServerConnection(net::StreamPtr stream, const exchange::Client& client, Context& context);
  ~Http2ServerConnection() override;

  // Until the connection ends.
  net::Task<void> serve();

  // From the exchanges, within the session's calls: a head is there; nothing more will come. Acted upon at the end of the round.
  void begin(Http2Exchange& exchange);
  void end(Http2Exchange& exchange);

 private:
  enum class Wait : std::uint8_t { kBusy, kHead, kIdle };

  http2::Stream& accept() override;
  void on_round() override;
  void start_begun();
  void drop_ended();
  void note_abuse();
  void watch_time();
  void on_deadline();
  void on_drain();
  void on_notice_over();

  exchange::Client client_;
  Context& context_;
  IdleConnections::Entry entry_;
  std::vector<std::unique_ptr<Http2Exchange>> exchanges_;
  std::vector<Http2Exchange*> begun_;
  std::vector<Http2Exchange*> ended_;
  net::Deadline deadline_;
  net::Deadline notice_;
  Wait wait_ = Wait::kBusy;
  std::uint64_t watched_block_ = 0;
  std::uint64_t served_ = 0;
  bool is_leaving_ = false;
  bool abuse_told_ = false;
};

// Serves requests until the connection ends. `stream`'s input may hold the first bytes.
net::Task<void> serve_http2(net::StreamPtr stream, exchange::Client client, Context& context);

// The first bytes of a client that knows the server speaks HTTP/2 (RFC 9113 3.4).
constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

}  // namespace rproxy::downstream
