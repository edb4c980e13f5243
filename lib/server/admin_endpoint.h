// The admin endpoint on the control thread: connections to it, the handlers of their requests, and what those are about.
#pragma once

#include <memory>
#include <optional>

#include "admin/api.h"
#include "admin/gate.h"
#include "admin/subject.h"
#include "downstream/http1_server.h"
#include "net/listener.h"
#include "net/task_group.h"
#include "server/admin_sockets.h"
#include "server/control.h"

namespace rproxy::server {

class AdminEndpoint final : public Control::Resident {
 public:
  // Connections at once; more wait.
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
  std::unique_ptr<net::Listener> listen(Fd socket, downstream::Context& context);

  net::Loop& loop_;
  std::unique_ptr<SocketPath> path_;  // null: none
  admin::Subject subject_;
  std::string effective_;
  std::shared_ptr<const Generation> generation_;
  admin::Api api_{subject_};
  std::optional<admin::Gate> gate_;
  downstream::Options options_;
  downstream::Context local_;                    // over the Unix socket
  std::unique_ptr<downstream::Context> remote_;  // over TCP
  net::TaskGroup connections_;
  std::unique_ptr<net::Listener> unix_listener_;
  std::unique_ptr<net::Listener> tcp_listener_;
};

}  // namespace rproxy::server
