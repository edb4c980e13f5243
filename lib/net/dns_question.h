// One question to the DNS, from asking until its answer: c-ares on a loop, its sockets watched by the loop's poller and its timeouts kept
// by the loop's wheel. Destroying it lets go of everything.
#pragma once

#include <ares.h>

#include <coroutine>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "net/dns_message.h"
#include "net/loop.h"
#include "net/options.h"

namespace rproxy::net {

struct DnsReply {
  enum class Kind : std::uint8_t { kAnswer, kNoData, kNoName, kFailed };
  Kind kind = Kind::kFailed;
  std::vector<std::uint8_t> message;  // kAnswer
  std::string reason;                 // else, in words
};

class DnsQuestion final : private Poller::Watcher {
 public:
  // Asks at once.
  DnsQuestion(Loop& loop, const ResolverOptions& options, const std::string& name, DnsType type);
  DnsQuestion(const DnsQuestion&) = delete;
  DnsQuestion& operator=(const DnsQuestion&) = delete;
  ~DnsQuestion();

  // co_await goes on when there is a reply, in a round of its own: never from within c-ares.
  bool await_ready() const noexcept { return is_done_; }
  void await_suspend(std::coroutine_handle<> handle) { handle_ = handle; }
  DnsReply await_resume() { return std::move(reply_); }

 private:
  class Socket;

  bool open(const ResolverOptions& options);
  void on_ready(std::uint32_t) override { handle_.resume(); }
  void on_reply(int status, const std::uint8_t* message, int size);
  // c-ares wants to know of this socket's readiness; of none: it closes it.
  void watch(int descriptor, bool for_reading, bool for_writing);
  void process(int descriptor);
  void note_refusal(int descriptor);
  void arm();
  void finish(DnsReply reply);

  Loop& loop_;
  ares_channel channel_ = nullptr;
  std::map<int, std::unique_ptr<Socket>> sockets_;
  Deadline deadline_;
  int refusal_ = 0;  // the response code of a server that would not answer
  bool is_done_ = false;
  DnsReply reply_;
  std::coroutine_handle<> handle_;
};

}  // namespace rproxy::net
