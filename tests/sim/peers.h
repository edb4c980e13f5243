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

// Goes through its scenario's steps. How requests and answers look on the wire is for who derives from it.
class Client : public Peer, Actor {
 public:
  Client(World& world, const Scenario& scenario, TlsParts* tls);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  virtual ~Client() { world_.remove(*this); }

  const std::shared_ptr<Wire>& wire() const { return line_.wire(); }
  const Scenario& scenario() const { return scenario_; }
  // For people.
  const std::string& received() const { return received_; }
  End end() const { return end_; }
  std::size_t whole_answers() const { return whole_answers_; }
  // In the order of the requests.
  virtual Answers answers() const = 0;

 protected:
  virtual void say(const std::string& text) = 0;
  virtual void hear(std::string_view bytes) = 0;
  virtual bool has_heard(const std::string& text) const = 0;

  Line& line() { return *line_.operator->(); }
  World& world_;
  std::string received_;

 private:
  void on_bytes(std::string_view bytes) final;
  void on_end(End end) final { end_ = end; }
  unsigned ready() const final;
  void act(unsigned) final;
  bool may_go_on(const ClientStep& step) const;

  const Scenario& scenario_;
  Connected line_;
  std::vector<ClientStep> steps_;
  std::size_t next_ = 0;
  std::size_t whole_answers_ = 0;
  End end_ = End::kOpen;
};

class Http1Client final : public Client {
 public:
  using Client::Client;
  Answers answers() const override { return read_answers(received_, scenario().methods(), end() == End::kFin); }

 private:
  void say(const std::string& text) override { line().send(text); }
  void hear(std::string_view bytes) override { received_ += bytes; }
  bool has_heard(const std::string& text) const override { return received_.find(text) != std::string::npos; }
};

class Origin {
 public:
  // `is_http2`: it speaks that, in plain text, and nothing else.
  Origin(World& world, TlsParts* tls, bool is_http2) : world_(world), tls_(tls), is_http2_(is_http2) {}

  void follow(const std::map<std::string, OriginScript>& script) { script_.insert(script.begin(), script.end()); }
  net::StreamPtr accept();

  // Whole requests in the order they became so, and how often each head has arrived.
  const std::vector<Message>& requests() const { return requests_; }
  const std::map<std::string, std::size_t>& heads() const { return heads_; }

 private:
  class Connection;
  class Http2Connection;

  World& world_;
  TlsParts* tls_;
  bool is_http2_;
  std::map<std::string, OriginScript> script_;
  std::vector<std::shared_ptr<Peer>> connections_;
  std::vector<Message> requests_;
  std::map<std::string, std::size_t> heads_;
};

}  // namespace rproxy::sim
