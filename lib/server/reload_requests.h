// Wishes for a reload, from any thread to the one that does it.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rproxy::server {

struct ReloadOutcome {
  bool ok = false;
  std::string text;  // what has changed; or why nothing has, as diagnostics are shown to people
};

class ReloadRequests {
 public:
  // Called on the thread that reloads; hand it on from there.
  using Done = std::function<void(const ReloadOutcome& outcome)>;

  // Those that one reload answers.
  struct Batch {
    std::string why;  // of the first
    std::vector<Done> waiting;
  };

  // `wake` makes the thread that reloads call take(), which it does from any thread.
  explicit ReloadRequests(std::function<void()> wake) : wake_(std::move(wake)) {}

  // From any thread. However many come while a reload is under way, one more answers them all. `why` is for the log: "SIGHUP".
  void request_reload(std::string why, Done done = {});

  std::optional<Batch> take();
  // Answers all who wait, and who ever will, by a refusal: the server ends.
  void refuse(const std::string& reason);

 private:
  // Why not, where it is refused.
  std::optional<std::string> enqueue(std::string why, const Done& done);

  std::function<void()> wake_;
  std::mutex mutex_;
  std::optional<Batch> waiting_;
  std::optional<std::string> refusal_;
};

}  // namespace rproxy::server
