// A DNS server on the test's own loop, by UDP and TCP on one port of 127.0.0.1, that answers as it is told: right, wrongly or not at all.
#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/fd.h"
#include "net/dns_message.h"
#include "net/loop.h"

namespace rproxy::test {

using DnsBytes = std::string;

inline void put_number(DnsBytes& out, unsigned number) {
  out += static_cast<char>(number >> 8 & 0xff);
  out += static_cast<char>(number & 0xff);
}

inline void put_name(DnsBytes& out, std::string_view name) {
  while (!name.empty()) {
    const std::string_view label = name.substr(0, name.find('.'));
    out += static_cast<char>(label.size());
    out += label;
    name.remove_prefix(std::min(name.size(), label.size() + 1));
  }
  out += '\0';
}

// One record: its type and data.
struct DnsRecord {
  net::DnsType type;
  DnsBytes data;
};

inline DnsRecord address_record(std::string_view text) {
  const IpAddress ip = IpAddress::parse(text).value();
  const std::size_t skipped = ip.is_v4() ? 12 : 0;
  return {ip.is_v4() ? net::DnsType::kA : net::DnsType::kAaaa,
          DnsBytes(reinterpret_cast<const char*>(ip.bytes.data()) + skipped, ip.bytes.size() - skipped)};
}

inline DnsRecord srv_record(unsigned priority, unsigned weight, unsigned port, std::string_view target) {
  DnsBytes data;
  put_number(data, priority);
  put_number(data, weight);
  put_number(data, port);
  put_name(data, target);
  return {net::DnsType::kSrv, data};
}

class DnsServer {
 public:
  enum class Manner : std::uint8_t { kAnswer, kServerFailure, kRefuse, kSilent, kTruncate, kGarbage };

  explicit DnsServer(net::Loop& loop) : loop_(loop) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    // The port that UDP was given may be taken for TCP.
    for (int attempt = 0; attempt < 20; ++attempt) {
      address.sin_port = 0;
      Fd udp(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      Fd tcp(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      socklen_t size = sizeof address;
      if (::bind(udp.get(), reinterpret_cast<sockaddr*>(&address), size) != 0) continue;
      ::getsockname(udp.get(), reinterpret_cast<sockaddr*>(&address), &size);
      if (::bind(tcp.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(tcp.get(), 16) != 0) continue;
      port_ = ntohs(address.sin_port);
      udp_.open(loop, std::move(udp));
      tcp_.open(loop, std::move(tcp));
      return;
    }
    throw std::runtime_error("no port for a DNS server");
  }

  HostPort address() const { return HostPort::parse("127.0.0.1:" + std::to_string(port_)).value(); }

  // From now on the name has these records, besides those of other types.
  void set(const std::string& name, const std::vector<DnsRecord>& records, unsigned ttl = 60) {
    Zone& zone = zones_[name];
    zone.records = records;
    zone.ttl = ttl;
  }
  void remove(const std::string& name) { zones_.erase(name); }
  void behave(const std::string& name, Manner manner) { zones_[name].manner = manner; }
  // The same for questions about one type alone.
  void behave(const std::string& name, net::DnsType type, Manner manner) { zones_[name].manners[type] = manner; }

  // "1 app.test": type and name of each question.
  const std::vector<std::string>& questions() const { return questions_; }
  std::size_t tcp_connections() const { return tcp_connections_; }

 private:
  struct Zone {
    std::vector<DnsRecord> records;
    unsigned ttl = 60;
    Manner manner = Manner::kAnswer;
    std::map<net::DnsType, Manner> manners;
  };

  struct Door : net::Poller::Watcher {
    DnsServer& server;
    Fd socket;
    explicit Door(DnsServer& owner) : server(owner) {}
    Door(const Door&) = delete;
    Door& operator=(const Door&) = delete;
    void open(net::Loop& loop, Fd made) {
      socket = std::move(made);
      loop.poller().add(socket.get(), EPOLLIN, *this);
    }
    ~Door() { server.loop_.poller().forget(*this); }
  };

  struct Udp final : Door {
    using Door::Door;
    void on_ready(std::uint32_t) override {
      char buffer[1024];
      sockaddr_in from{};
      for (socklen_t size = sizeof from;;) {
        const auto count =
            ::recvfrom(socket.get(), buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&from), &size);
        if (count < 0) return;
        const auto answer = server.answer({buffer, static_cast<std::size_t>(count)}, true);
        if (!answer.empty())
          ::sendto(socket.get(), answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
      }
    }
  };

  struct Connection final : Door {
    using Door::Door;
    std::string input;
    void on_ready(std::uint32_t) override {
      char buffer[1024];
      for (;;) {
        const auto count = ::recv(socket.get(), buffer, sizeof buffer, 0);
        if (count <= 0) break;
        input.append(buffer, static_cast<std::size_t>(count));
      }
      if (input.size() < 2) return;
      const std::size_t size = static_cast<unsigned char>(input[0]) * 256U + static_cast<unsigned char>(input[1]);
      if (input.size() < size + 2) return;
      const auto answer = server.answer(input.substr(2, size), false);
      input.erase(0, size + 2);
      if (answer.empty()) return;
      // In pieces: what comes whole would not show that the rest is waited for.
      DnsBytes framed;
      put_number(framed, static_cast<unsigned>(answer.size()));
      framed += answer;
      ::send(socket.get(), framed.data(), 1, MSG_NOSIGNAL);
      ::send(socket.get(), framed.data() + 1, framed.size() - 1, MSG_NOSIGNAL);
    }
  };

  struct Tcp final : Door {
    using Door::Door;
    void on_ready(std::uint32_t) override {
      for (;;) {
        Fd made(::accept4(socket.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!made) return;
        ++server.tcp_connections_;
        server.connections_.push_back(std::make_unique<Connection>(server));
        server.connections_.back()->open(server.loop_, std::move(made));
      }
    }
  };

  static std::pair<std::string, std::size_t> read_name(const DnsBytes& question) {
    std::string name;
    std::size_t at = 12;
    while (at < question.size() && question[at] != 0) {
      const auto size = static_cast<unsigned char>(question[at]);
      name += (name.empty() ? "" : ".") + question.substr(at + 1, size);
      at += size + 1U;
    }
    return {name, at + 1};
  }

  // Nothing: it stays silent.
  DnsBytes answer(const DnsBytes& question, bool is_udp) {
    if (question.size() < 17) return {};
    const auto [name, end] = read_name(question);
    const auto type = static_cast<net::DnsType>(static_cast<unsigned char>(question[end]) * 256 +
                                                static_cast<unsigned char>(question[end + 1]));
    questions_.push_back(std::to_string(static_cast<int>(type)) + " " + name);
    const auto zone = zones_.find(name);
    if (zone == zones_.end()) return message(question, end, 3, {}, 0, false);
    const auto special = zone->second.manners.find(type);
    const Manner manner = special != zone->second.manners.end() ? special->second : zone->second.manner;
    if (manner == Manner::kSilent) return {};
    if (manner == Manner::kServerFailure) return message(question, end, 2, {}, 0, false);
    if (manner == Manner::kRefuse) return message(question, end, 5, {}, 0, false);
    if (manner == Manner::kTruncate && is_udp) return message(question, end, 0, {}, 0, true);
    std::vector<DnsRecord> found;
    for (const auto& record : zone->second.records) {
      if (record.type == type || record.type == net::DnsType::kCname) found.push_back(record);
    }
    auto made = message(question, end, 0, found, zone->second.ttl, false);
    if (manner == Manner::kGarbage) made.resize(made.size() - 1);
    return made;
  }

  static DnsBytes message(const DnsBytes& question, std::size_t end, unsigned code,
                          const std::vector<DnsRecord>& records, unsigned ttl, bool is_truncated) {
    DnsBytes out = question.substr(0, 2);
    put_number(out, 0x8180 | code | (is_truncated ? 0x200 : 0));
    put_number(out, 1);
    put_number(out, static_cast<unsigned>(records.size()));
    put_number(out, 0);
    put_number(out, 0);
    out += question.substr(12, end + 4 - 12);
    for (const auto& record : records) {
      put_number(out, 0xc00c);
      put_number(out, static_cast<unsigned>(record.type));
      put_number(out, 1);
      put_number(out, ttl >> 16);
      put_number(out, ttl & 0xffff);
      put_number(out, static_cast<unsigned>(record.data.size()));
      out += record.data;
    }
    return out;
  }

  net::Loop& loop_;
  std::uint16_t port_ = 0;
  std::map<std::string, Zone> zones_;
  std::vector<std::string> questions_;
  std::size_t tcp_connections_ = 0;
  Udp udp_{*this};
  Tcp tcp_{*this};
  std::vector<std::unique_ptr<Connection>> connections_;
};

}  // namespace rproxy::test
