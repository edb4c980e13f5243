#include "acme/hook.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <string_view>

#include "base/fd.h"

extern char** environ;  // NOLINT(readability-redundant-declaration)

namespace rproxy::acme {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kSaidMax = 4096;

struct Actions {
  Actions() { posix_spawn_file_actions_init(&native); }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;
  ~Actions() { posix_spawn_file_actions_destroy(&native); }
  posix_spawn_file_actions_t native{};
};

// A group of its own, and signals as a shell would have them.
struct Attributes {
  Attributes() {
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(&native);
    posix_spawnattr_setpgroup(&native, 0);
    posix_spawnattr_setsigmask(&native, &none);
    posix_spawnattr_setsigdefault(&native, &all);
    posix_spawnattr_setflags(&native, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  ~Attributes() { posix_spawnattr_destroy(&native); }
  posix_spawnattr_t native{};
};

std::vector<char*> pointers_of(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const auto& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  return pointers;
}

// A part of it: who says much does not keep the clock from being looked at.
void take_what_is_said(int descriptor, std::string& said) {
  std::array<char, 4096> part;  // NOLINT(cppcoreguidelines-pro-type-member-init): read() fills it
  const ssize_t size = ::read(descriptor, part.data(), part.size());
  if (size > 0) said.append(part.data(), static_cast<std::size_t>(size));
  if (said.size() > kSaidMax) said.erase(0, said.size() - kSaidMax);
}

// Reads what it says until it has ended or the time is up; false: it is. What it has started may go on, and say more.
bool wait_for(int process, int saying, Clock::time_point end, std::string& said) {
  for (bool is_open = true;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    std::array<pollfd, 2> waiting{{{process, POLLIN, 0}, {is_open ? saying : -1, POLLIN, 0}}};
    const int ready =
        ::poll(waiting.data(), waiting.size(), static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000)));
    if (ready < 0 && errno != EINTR) return false;
    if (ready > 0 && waiting[1].revents != 0) take_what_is_said(saying, said);
    if (ready > 0 && waiting[1].revents != 0 && (waiting[1].revents & POLLIN) == 0) is_open = false;
    if (ready > 0 && waiting[0].revents != 0) {
      take_what_is_said(saying, said);
      return true;
    }
    if (left <= 0) return false;
  }
}

// The last line that says something, in printable characters.
std::string last_line(std::string_view said) {
  while (!said.empty() && (said.back() == '\n' || said.back() == ' ' || said.back() == '\r')) said.remove_suffix(1);
  const auto begin = said.rfind('\n');
  std::string line(begin == std::string_view::npos ? said : said.substr(begin + 1));
  std::ranges::replace_if(
      line, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, ' ');
  return line;
}

tl::unexpected<Error> hook_error(const Hook& hook, std::string_view what, std::string_view said) {
  const std::string line = last_line(said);
  return fail(ErrorCode::kInternal, Side::kLocal, Retry::kNever,
              fmt::format("{} {}{}{}", hook.arguments.front(), what, line.empty() ? "" : ": ", line));
}

}  // namespace

Result<void> run_hook(const Hook& hook) {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
    return fail(Error(ErrorCode::kFile, Side::kLocal, Retry::kNever, errno, hook.arguments.front()));
  }
  const Fd reading(pipe[0]);
  Fd writing(pipe[1]);
  Actions actions;
  posix_spawn_file_actions_addopen(&actions.native, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions.native, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions.native, writing.get(), 2);
  const Attributes attributes;
  auto arguments = pointers_of(hook.arguments);
  arguments.push_back(nullptr);
  auto environment = pointers_of(hook.environment);
  for (char** each = environ; each != nullptr && *each != nullptr; ++each) environment.push_back(*each);
  environment.push_back(nullptr);
  pid_t child = 0;
  const int error = ::posix_spawnp(&child, arguments.front(), &actions.native, &attributes.native, arguments.data(),
                                   environment.data());
  if (error != 0) return fail(Error(ErrorCode::kFile, Side::kLocal, Retry::kNever, error, hook.arguments.front()));
  writing.reset();
  std::string said;
  const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  const bool has_ended = process && wait_for(process.get(), reading.get(), Clock::now() + hook.timeout, said);
  if (!has_ended) ::kill(-child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!has_ended) return hook_error(hook, "did not end within " + rproxy::to_string(hook.timeout), said);
  if (WIFSIGNALED(status)) return hook_error(hook, fmt::format("was ended by signal {}", WTERMSIG(status)), said);
  if (WEXITSTATUS(status) != 0) return hook_error(hook, fmt::format("failed with {}", WEXITSTATUS(status)), said);
  return {};
}

}  // namespace rproxy::acme
