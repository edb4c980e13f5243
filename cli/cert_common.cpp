#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <system_error>
#include <utility>

#include "base/fd.h"
#include "cli/cert.h"
#include "cli/output.h"
#include "config/text.h"
#include "x509/certified_key.h"

namespace rproxy::cli {
namespace {

// The largest list of authorities, a few times over.
constexpr std::size_t kFileMax = std::size_t{8} * 1024 * 1024;
constexpr std::size_t kPasswordMax = 1024;

x509::Secret read_standard_input() {
  std::string all;
  std::array<char, 65536> piece{};
  for (;;) {
    const ssize_t got = ::read(STDIN_FILENO, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_cert(fmt::format("can't read standard input: {}", std::generic_category().message(errno)));
    if (got == 0) break;
    all.append(piece.data(), static_cast<std::size_t>(got));
    if (all.size() > kFileMax) fail_cert("standard input is larger than any such file should be");
  }
  OPENSSL_cleanse(piece.data(), piece.size());
  return x509::Secret::take(all);
}

// The terminal without an echo, as long as it lives.
class Silence {
 public:
  explicit Silence(int terminal) : terminal_(terminal), is_set_(::tcgetattr(terminal, &before_) == 0) {
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    if (is_set_) ::tcsetattr(terminal_, TCSAFLUSH, &silent);
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;
  ~Silence() {
    if (is_set_) ::tcsetattr(terminal_, TCSAFLUSH, &before_);
  }

 private:
  int terminal_;
  termios before_{};
  bool is_set_;
};

std::optional<x509::Secret> ask(const std::string& question) {
  const Fd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (!terminal) return std::nullopt;
  const auto say = [&](const std::string& text) { return ::write(terminal.get(), text.data(), text.size()); };
  const Silence silence(terminal.get());
  (void)say(question + ": ");
  std::string line;
  line.reserve(kPasswordMax);
  char c = 0;
  while (line.size() < kPasswordMax && ::read(terminal.get(), &c, 1) == 1 && c != '\n') line += c;
  (void)say("\n");
  return x509::Secret::take(line);
}

x509::Secret first_line(const x509::Secret& text) {
  const std::string_view all = text.view();
  const auto line = all.substr(0, all.find('\n'));
  return x509::Secret(line.substr(0, line.find_last_not_of('\r') + 1));
}

// Nothing: it is to be asked for.
std::optional<x509::Secret> password_of(const std::string& source) {
  if (source.starts_with("env:")) {
    const char* value = std::getenv(source.c_str() + 4);
    if (value == nullptr) fail_cert(fmt::format("{}: there is no such variable in the environment", source));
    return x509::Secret(std::string_view(value));
  }
  if (source.starts_with("file:")) return first_line(read_cert_file(source.substr(5)));
  if (source == "prompt" || source.empty()) return std::nullopt;
  // Others on the machine can read command lines.
  refuse_cert("a password is from env:NAME, file:PATH or prompt, never on the command line");
}

}  // namespace

void fail_cert(const std::string& what) { throw CertFailure{what, kRuntime, false}; }
void refuse_cert(const std::string& what) { throw CertFailure{what, kUsage, true}; }

std::string reason_of(const Error& error) {
  std::string text = config::printable(error.context);
  if (error.os_error != 0)
    text = fmt::format("{}{}{}", text, text.empty() ? "" : ": ", std::generic_category().message(error.os_error));
  if (error.code == ErrorCode::kConfig || error.code == ErrorCode::kFile || error.code == ErrorCode::kInternal)
    return text;
  std::string what(to_string(error.code));
  for (char& c : what) {
    if (c == '_') c = ' ';
  }
  return text.empty() ? what : fmt::format("{}: {}", what, text);
}

x509::PasswordSource password_from(const std::string& source, const std::string& of) {
  return [source, of]() -> std::optional<x509::Secret> {
    auto known = password_of(source);
    return known ? std::move(known) : ask("password of " + of);
  };
}

std::optional<x509::Secret> new_password_from(const std::string& source, const std::string& of) {
  if (source.empty()) return std::nullopt;
  auto password = password_of(source);
  if (!password) {
    password = ask("new password of " + of);
    const auto again = password ? ask("the same again") : std::nullopt;
    if (!again) fail_cert("there is no terminal to ask for a password: use env:NAME or file:PATH");
    if (again->view() != password->view()) fail_cert("the two passwords differ");
  }
  if (password->empty()) fail_cert(fmt::format("the new password of {} is empty", of));
  return password;
}

x509::Secret read_cert_file(const std::string& path) {
  if (path == "-") return read_standard_input();
  auto text = take(x509::read_file(path, kFileMax));
  return x509::Secret::take(text);
}

x509::Bundle read_bundle(const std::string& path, const std::string& passin) {
  const x509::Secret text = read_cert_file(path);
  const std::string name = path == "-" ? "standard input" : path;
  return take(x509::Bundle::parse(text.view(), name, password_from(passin, name)));
}

void NewFiles::add(const std::string& path, x509::Secret content, x509::Access access) {
  for (const File& file : files_) {
    if (file.path == path && path != "-") refuse_cert(fmt::format("{} would be written twice", path));
  }
  files_.push_back({path, std::move(content), access});
}

void NewFiles::write() const {
  for (const File& file : files_) {
    if (!is_forced_ && file.path != "-" && ::access(file.path.c_str(), F_OK) == 0)
      fail_cert(fmt::format("{} is there already: move it away, or say --force", file.path));
  }
  std::size_t done = 0;
  try {
    for (; done < files_.size(); ++done) write(files_[done]);
  } catch (const CertFailure&) {
    // All or none, as far as nothing was lost for it.
    for (std::size_t i = 0; i < done && !is_forced_; ++i) {
      if (files_[i].path != "-") ::unlink(files_[i].path.c_str());
    }
    throw;
  }
}

void NewFiles::write(const File& file) const {
  const std::string_view content = file.content.view();
  if (file.path == "-") return write_output(content);
  const auto how = is_forced_ ? x509::IfThere::kReplace : x509::IfThere::kRefuse;
  take(x509::write_new_file(file.path, content, file.access, how));
}

std::optional<WallTime> parse_time(const std::string& text, WallTime now) {
  const bool is_before = text.starts_with('-');
  if (const auto span = parse_duration(text.substr(is_before || text.starts_with('+') ? 1 : 0)); span)
    return is_before ? now - *span : now + *span;
  std::tm parts{};
  const char* end = ::strptime(text.c_str(), "%Y-%m-%d", &parts);
  if (end != nullptr && (*end == 'T' || *end == ' ')) end = ::strptime(end + 1, "%H:%M:%S", &parts);
  // The clock ends in 2262.
  if (end == nullptr || (*end != '\0' && std::string_view(end) != "Z") || parts.tm_year > 361) return std::nullopt;
  const std::tm said = parts;
  const std::time_t time = ::timegm(&parts);
  // The 31st of February would be one in March.
  if (said.tm_mday != parts.tm_mday || said.tm_sec != parts.tm_sec) return std::nullopt;
  return std::chrono::system_clock::from_time_t(time);
}

std::string time_text(WallTime time) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(std::chrono::floor<std::chrono::seconds>(time)));
}

std::string json_time(WallTime time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::floor<std::chrono::seconds>(time)));
}

std::string relative_time(WallTime time, WallTime now) {
  // Upwards, so that what was made for 90 days just now has 90 left.
  const auto minutes = std::chrono::ceil<std::chrono::minutes>(time > now ? time - now : now - time).count();
  constexpr long kHour = 60;
  constexpr long kDay = 24 * kHour;
  const auto count = [](long many, const char* what) {
    return fmt::format("{} {}{}", many, what, many == 1 ? "" : "s");
  };
  const std::string span = minutes >= 2 * kDay    ? count(minutes / kDay, "day")
                           : minutes >= 2 * kHour ? count(minutes / kHour, "hour")
                                                  : count(minutes, "minute");
  return time > now ? "in " + span : span + " ago";
}

std::string cert_field(std::string_view label, const std::string& value, std::size_t indent) {
  constexpr std::size_t kWidth = 80;
  constexpr std::size_t kLabel = 14;
  const std::size_t begin = indent + kLabel;
  std::string out(indent, ' ');
  out += fmt::format("{:<{}}", label, kLabel);
  std::size_t column = begin;
  const std::string shown = config::printable(value);
  for (std::size_t at = 0; at <= shown.size();) {
    const std::size_t end = std::min(shown.find(' ', at), shown.size());
    const std::size_t size = end - at;
    if (column > begin && column + 1 + size > kWidth) {
      out += '\n' + std::string(begin, ' ');
      column = begin;
    }
    if (column > begin) {
      out += ' ';
      ++column;
    }
    out += shown.substr(at, size);
    column += size;
    at = end + 1;
  }
  return out + '\n';
}

std::string joined(const std::vector<std::string>& parts, std::string_view between) {
  std::string out;
  for (const std::string& part : parts) {
    if (!out.empty()) out += between;
    out += part;
  }
  return out;
}

}  // namespace rproxy::cli
