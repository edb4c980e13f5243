// A simulated connection: one end is a scripted peer, the other a net::Stream in the proxy's hands.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "net/stream.h"
#include "sim/world.h"

namespace rproxy::sim {

enum class End : std::uint8_t { kOpen, kFin, kReset };

// The scripted end.
class Peer {
 public:
  virtual void on_bytes(std::string_view bytes) = 0;
  virtual void on_end(End end) = 0;

 protected:
  ~Peer() = default;
};

// What a scripted end says.
class Line {
 public:
  virtual ~Line() = default;
  virtual void send(std::string_view bytes) = 0;
  virtual void finish() = 0;
  virtual void reset() = 0;
};

// What is under way between both ends.
class Wire final : public Line, Actor {
 public:
  Wire(World& world, Peer& peer) : world_(world), peer_(peer) { world_.add(*this); }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  ~Wire() override { world_.remove(*this); }

  // The peer's side.
  void send(std::string_view bytes) override;
  void finish() override;
  void reset() override;

 private:
  friend class SimulatedStream;

  // One direction's bytes that have not arrived yet, and how it ends behind them.
  struct Flow {
    std::string bytes;
    End end = End::kOpen;
    bool stalled = false;

    bool has_news() const { return !stalled && (!bytes.empty() || end != End::kOpen); }
  };

  unsigned ready() const override { return to_peer_.has_news() && !told_end_ ? 1 : 0; }
  void act(unsigned) override;
  void close(bool reset);
  void fail(Fault fault, bool reading);
  void break_off();

  World& world_;
  Peer& peer_;
  Flow to_proxy_;
  Flow to_peer_;
  bool told_end_ = false;
  bool closed_ = false;  // by the proxy
  bool given_ = false;   // bytes to the proxy since it last wrote
};

// The proxy's end. As of a socket: a receive and a send go at once where they can and it so happens; closing with unread input resets.
class SimulatedStream final : public net::Stream, Actor {
 public:
  static net::StreamPtr open(World& world, Side side, std::shared_ptr<Wire> wire);

  void shutdown_write() override;
  void abort(bool reset) override;
  bool has_peer_ended() const override;

 private:
  SimulatedStream(World& world, Side side, std::shared_ptr<Wire> wire);
  ~SimulatedStream() override;
  void retire() override;
  void start_read() override;
  bool start_write() override;

  unsigned ready() const override;
  void act(unsigned bit) override;
  void serve_writer();
  void receive();
  Fault next_operation(bool reading);
  bool is_broken() const { return wire_->to_proxy_.end == End::kReset; }

  World& world_;
  std::shared_ptr<Wire> wire_;
  bool receiving_ = false;
  bool waits_write_ = false;
  bool acting_ = false;  // deleting has to wait
  bool retired_ = false;
};

}  // namespace rproxy::sim
