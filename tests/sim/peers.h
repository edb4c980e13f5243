// A client and an origin that follow a script.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/task.h"
#include "sim/scenario.h"
#include "sim/tls_line.h"
#include "sim/wire.h"

namespace rproxy::sim {

// A scripted peer's connection, plain or, with a context, TLS.
class Connected {
 public:
  Connected(World& world, Peer& script, SSL_CTX* tls, bool accepts);
  const std::shared_ptr<Wire>& wire() const { return wire_; }
  Line* operator->() const { return tls_ ? static_cast<Line*>(tls_.get()) : wire_.get(); }

 private:
  std::unique_ptr<TlsLine> tls_;
  std::shared_ptr<Wire> wire_;
};

class Client final : public Peer, Actor {
 public:
  Client(World& world, const Scenario& scenario, TlsParts* tls);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() { world_.remove(*this); }

  const std::shared_ptr<Wire>& wire() const { return line_.wire(); }
  const Scenario& scenario() const { return scenario_; }
  const std::string& received() const { return received_; }
  End end() const { return end_; }
  std::size_t whole_answers() const { return whole_answers_; }
  Answers answers() const { return read_answers(received_, scenario_.methods(), end_ == End::kFin); }

 private:
  void on_bytes(std::string_view bytes) override;
  void on_end(End end) override { end_ = end; }
  unsigned ready() const override;
  void act(unsigned) override;
  bool may_go_on(const ClientStep& step) const;

  World& world_;
  const Scenario& scenario_;
  Connected line_;
  std::vector<ClientStep> steps_;
  std::size_t next_ = 0;
  std::string received_;
  std::size_t whole_answers_ = 0;
  End end_ = End::kOpen;
};

class Origin {
 public:
  Origin(World& world, TlsParts* tls) : world_(world), tls_(tls) {}

  void follow(const std::map<std::string, OriginScript>& script) { script_.insert(script.begin(), script.end()); }
  net::StreamPtr accept();

  // Whole requests in the order they became so, and how often each head has arrived.
  const std::vector<Message>& requests() const { return requests_; }
  const std::map<std::string, std::size_t>& heads() const { return heads_; }

 private:
  class Connection;

  World& world_;
  TlsParts* tls_;
  std::map<std::string, OriginScript> script_;
  std::vector<std::shared_ptr<Connection>> connections_;
  std::vector<Message> requests_;
  std::map<std::string, std::size_t> heads_;
};

}  // namespace rproxy::sim
