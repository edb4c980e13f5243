// The admin endpoint on the control thread: connections to it, the handlers of their requests, and what those are about.
#pragma once

#include <memory>
#include <optional>

#include "admin/api.h"
#include "admin/gate.h"
#include "admin/subject.h"
#include "downstream/options.h"
#include "server/admin_sockets.h"
#include "server/control.h"

namespace rproxy::server {

class AdminEndpoint final : public Control::Resident {
 public:
  // Connections at once, over the Unix socket and over TCP each; more wait.
  static constexpr std::size_t kConnectionsMax = 64;

  // `subject` has all but what serves. `effective` is the text of the configuration that comes by the next adopt().
  AdminEndpoint(net::Loop& loop, AdminSockets sockets, const config::Admin& admin, admin::Subject subject,
                std::string effective);
  ~AdminEndpoint() override;

  void adopt(const std::shared_ptr<const Generation>& generation) override;
  // The same for those to come.
  void expect(std::string effective) { effective_ = std::move(effective); }
  // No connection comes over TCP any more: a successor may want the address.
  void drain();

 private:
  // A listener and its connections. Over TCP anybody may come, and takes nothing of the room of those over the Unix socket.
  struct Entry;

  net::Loop& loop_;
  std::unique_ptr<SocketPath> path_;  // null: none
  admin::Subject subject_;
  std::string effective_;
  std::shared_ptr<const Generation> generation_;
  admin::Api api_{subject_};
  std::optional<admin::Gate> gate_;
  downstream::Options options_;
  std::unique_ptr<Entry> local_;   // over the Unix socket; null: none
  std::unique_ptr<Entry> remote_;  // over TCP
};

}  // namespace rproxy::server
