#include "net/dns_question.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace rproxy::net {
namespace {

constexpr int kServerFailed = 2;
constexpr int kNotImplemented = 4;
constexpr int kRefused = 5;

std::string_view name_of(int response_code) {
  return response_code == kServerFailed ? "SERVFAIL" : response_code == kRefused ? "REFUSED" : "NOTIMP";
}

DnsReply reply_of(int status, int refusal) {
  using Kind = DnsReply::Kind;
  switch (status) {
    case ARES_ENOTFOUND:
      return {Kind::kNoName, {}, "there is no such name (NXDOMAIN)"};
    case ARES_ENODATA:
      return {Kind::kNoData, {}, "the name has no such records"};
    case ARES_ETIMEOUT:
      return {Kind::kFailed, {}, "no DNS server answered in time"};
    case ARES_ESERVFAIL:
      return {Kind::kFailed, {}, "the DNS server failed (SERVFAIL)"};
    case ARES_ECONNREFUSED:
      // c-ares says the same of servers that can't be reached and of those that answer that they will not.
      if (refusal != 0)
        return {Kind::kFailed, {}, fmt::format("the DNS server would not answer ({})", name_of(refusal))};
      return {Kind::kFailed, {}, "no DNS server could be reached"};
    case ARES_EBADNAME:
      return {Kind::kNoName, {}, "this can't be a name"};
    default:
      return {Kind::kFailed, {}, ::ares_strerror(status)};
  }
}

// The library's state of the process, once.
bool is_library_ready() {
  static const bool kReady = ::ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS;
  return kReady;
}

std::string server_list(const std::vector<HostPort>& servers) {
  std::string out;
  for (const HostPort& server : servers) out += (out.empty() ? "" : ",") + server.to_string();
  return out;
}

}  // namespace

// c-ares reads a TCP socket piece by piece, but the poller tells of new bytes only once: so the socket itself is asked, until it has no more.
class DnsQuestion::Socket final : public Poller::Watcher {
 public:
  Socket(DnsQuestion& question, int descriptor) : question_(question), descriptor_(descriptor) {
    question.loop_.poller().add(descriptor, EPOLLIN | EPOLLOUT, *this);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() {
    question_.loop_.poller().remove(descriptor_);
    question_.loop_.poller().forget(*this);
  }

  void want(bool for_reading, bool for_writing) {
    wanted_ = static_cast<short>((for_reading ? POLLIN : 0) | (for_writing ? POLLOUT : 0));
  }
  // What it is ready for, of what is wanted.
  short ready() const {
    pollfd asked{descriptor_, wanted_, 0};
    return ::poll(&asked, 1, 0) > 0 ? asked.revents : short{0};
  }
  void on_ready(std::uint32_t) override { question_.process(descriptor_); }

 private:
  DnsQuestion& question_;
  int descriptor_;
  short wanted_ = 0;
};

DnsQuestion::DnsQuestion(Loop& loop, const ResolverOptions& options, const std::string& name, DnsType type)
    : loop_(loop),
      deadline_(
          [](void* self) {
            auto& question = *static_cast<DnsQuestion*>(self);
            ::ares_process_fd(question.channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
            question.arm();
          },
          this) {
  if (!open(options)) {
    finish({DnsReply::Kind::kFailed, {}, "the DNS client can't be set up"});
    return;
  }
  ::ares_search(
      channel_, name.c_str(), 1, static_cast<int>(type),
      [](void* self, int status, int, unsigned char* message, int size) {
        static_cast<DnsQuestion*>(self)->on_reply(status, message, size);
      },
      this);
  arm();
}

bool DnsQuestion::open(const ResolverOptions& options) {
  ares_options chosen{};
  const int given = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
  chosen.flags = options.search ? 0 : ARES_FLAG_NOSEARCH;
  chosen.timeout = static_cast<int>(options.timeout.count());
  chosen.tries = static_cast<int>(options.attempts);
  chosen.sock_state_cb = [](void* self, ares_socket_t socket, int readable, int writable) {
    static_cast<DnsQuestion*>(self)->watch(socket, readable != 0, writable != 0);
  };
  chosen.sock_state_cb_data = this;
  if (!is_library_ready() || ::ares_init_options(&channel_, &chosen, given) != ARES_SUCCESS) {
    channel_ = nullptr;
    return false;
  }
  return options.servers.empty() ||
         ::ares_set_servers_ports_csv(channel_, server_list(options.servers).c_str()) == ARES_SUCCESS;
}

DnsQuestion::~DnsQuestion() {
  loop_.poller().forget(*this);
  if (channel_ != nullptr) ::ares_destroy(channel_);
}

void DnsQuestion::on_reply(int status, const std::uint8_t* message, int size) {
  if (status == ARES_EDESTRUCTION) return;
  if (status != ARES_SUCCESS) {
    finish(reply_of(status, refusal_));
    return;
  }
  finish({DnsReply::Kind::kAnswer, {message, message + size}, {}});
}

void DnsQuestion::finish(DnsReply reply) {
  reply_ = std::move(reply);
  is_done_ = true;
  deadline_.disarm();
  if (handle_) loop_.poller().again(*this);
}

void DnsQuestion::watch(int descriptor, bool for_reading, bool for_writing) {
  if (!for_reading && !for_writing) {
    sockets_.erase(descriptor);
    return;
  }
  auto& socket = sockets_[descriptor];
  if (!socket) socket = std::make_unique<Socket>(*this, descriptor);
  socket->want(for_reading, for_writing);
  // It may be ready for what was not wanted before.
  loop_.poller().again(*socket);
}

void DnsQuestion::process(int descriptor) {
  const short ready = sockets_.at(descriptor)->ready();
  if (ready == 0) return;
  const bool is_writable = (ready & POLLOUT) != 0;
  const bool is_readable = (ready & ~POLLOUT) != 0;
  // A look would take the socket's error, which c-ares has to see.
  if ((ready & POLLERR) == 0) note_refusal(descriptor);
  ::ares_process_fd(channel_, is_readable ? descriptor : ARES_SOCKET_BAD, is_writable ? descriptor : ARES_SOCKET_BAD);
  arm();
  const auto left = sockets_.find(descriptor);
  if (left != sockets_.end() && left->second->ready() != 0) loop_.poller().again(*left->second);
}

// Such an answer is not handed on by c-ares, which asks elsewhere, or again.
void DnsQuestion::note_refusal(int descriptor) {
  std::array<std::uint8_t, 4> head{};
  if (::recv(descriptor, head.data(), head.size(), MSG_PEEK | MSG_DONTWAIT) != static_cast<ssize_t>(head.size()))
    return;
  const int code = head[3] & 0x0f;
  const bool is_response = (head[2] & 0x80) != 0;
  if (is_response && (code == kServerFailed || code == kNotImplemented || code == kRefused)) refusal_ = code;
}

void DnsQuestion::arm() {
  timeval left{};
  if (is_done_ || ::ares_timeout(channel_, nullptr, &left) == nullptr) {
    deadline_.disarm();
    return;
  }
  const auto time = std::chrono::seconds(left.tv_sec) + std::chrono::microseconds(left.tv_usec);
  deadline_.arm(loop_.wheel(), std::max(std::chrono::ceil<Duration>(time), Duration{1}));
}

}  // namespace rproxy::net
