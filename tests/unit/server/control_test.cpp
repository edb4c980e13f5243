// The thread beside the workers, and who lives on it.
#include "server/control.h"

#include <gtest/gtest.h>

#include <future>
#include <string>
#include <thread>
#include <vector>

#include "config/load.h"

namespace rproxy::server {
namespace {

std::shared_ptr<const Generation> generation_of(const std::string& text) {
  auto loaded = config::load_text("test.toml", "[listen]\nhttp = \"127.0.0.1:0\"\n[[routes]]\nmatch = \"*\"\n" + text,
                                  [](std::string_view) { return std::nullopt; });
  return Generation::build(std::move(loaded.config)).value();
}

struct Events {
  std::vector<std::string> list;
  std::thread::id thread;
};

class Recorder final : public Control::Resident {
 public:
  Recorder(std::string name, Events& events) : name_(std::move(name)), events_(events) {
    events_.list.push_back(name_ + " made");
    events_.thread = std::this_thread::get_id();
  }
  ~Recorder() override {
    events_.list.push_back(name_ + " ended");
    EXPECT_EQ(events_.thread, std::this_thread::get_id());
  }
  void adopt(const std::shared_ptr<const Generation>& generation) override {
    EXPECT_EQ(events_.thread, std::this_thread::get_id());
    events_.list.push_back(name_ + " has " + std::to_string(generation->config().routes.size()));
  }

 private:
  std::string name_;
  Events& events_;
};

void wait_for_thread(Control& control) {
  std::promise<void> passed;
  control.post([&passed] { passed.set_value(); });
  passed.get_future().wait();
}

TEST(Control, MakesTellsAndEndsItsResidentsOnItsThread) {
  Events events;
  {
    Control control(4096);
    control.add([&](net::Loop&) { return std::make_unique<Recorder>("a", events); });
    control.add([&](net::Loop&) { return std::make_unique<Recorder>("b", events); });
    control.start(generation_of("respond = 204"));
    EXPECT_EQ(events.list, (std::vector<std::string>{"a made", "b made", "a has 1", "b has 1"}));
    EXPECT_NE(events.thread, std::this_thread::get_id());
    events.list.clear();
    control.adopt(generation_of("respond = 204\n[[routes]]\nmatch = \"*/x\"\nrespond = 204"));
    wait_for_thread(control);
    EXPECT_EQ(events.list, (std::vector<std::string>{"a has 2", "b has 2"}));
    events.list.clear();
  }
  EXPECT_EQ(events.list, (std::vector<std::string>{"b ended", "a ended"}));
}

TEST(Control, KeepsNoConfigurationThatNobodyKeeps) {
  Control control(4096);
  auto first = generation_of("respond = 204");
  control.start(first);
  wait_for_thread(control);
  EXPECT_EQ(first.use_count(), 1);
  control.stop();
  control.stop();
}

TEST(Control, EndsWithoutHavingBegun) { Control control(4096); }

}  // namespace
}  // namespace rproxy::server
