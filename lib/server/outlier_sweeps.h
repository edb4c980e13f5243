// Compares the endpoints of each upstream that asks for it with one another, on the control thread.
#pragma once

#include <memory>
#include <vector>

#include "balance/outlier_detector.h"
#include "net/deadline_wheel.h"
#include "server/control.h"

namespace rproxy::server {

class OutlierSweeps final : public Control::Resident {
 public:
  explicit OutlierSweeps(net::Loop& loop) : loop_(loop) {}

  void adopt(const std::shared_ptr<const Generation>& generation) override;

 private:
  struct Compared {
    const upstream::Upstream& upstream;
    balance::OutlierDetector detector;
  };

  void sweep();

  net::Loop& loop_;
  std::shared_ptr<const Generation> generation_;  // whose upstreams are compared
  std::vector<Compared> compared_;
  net::Deadline next_{[](void* self) { static_cast<OutlierSweeps*>(self)->sweep(); }, this};
};

}  // namespace rproxy::server
