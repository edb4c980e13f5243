// Lines on their way to a file, a pipe or syslog. Destroying the writer writes what is queued, so no test has to wait.
#include "proxy/access_log_writer.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>

#include "proxy/access_log.h"
#include "support/temporary_directory.h"

namespace rproxy::proxy {
namespace {

using Target = AccessLogOptions::Target;
using test::TemporaryDirectory;
using testing::HasSubstr;
using testing::MatchesRegex;

AccessLogOptions to(Target target, std::string path) {
  AccessLogOptions options;
  options.target = target;
  options.path = std::move(path);
  return options;
}

std::unique_ptr<AccessLogWriter> opened(const AccessLogOptions& options) {
  auto writer = AccessLogWriter::open(options);
  if (!writer) throw std::runtime_error(describe(writer.error()));
  return std::move(*writer);
}

void submit(AccessLogWriter& writer, std::string lines) {
  const auto count = static_cast<std::uint64_t>(std::count(lines.begin(), lines.end(), '\n'));
  writer.submit(lines, count);
  EXPECT_EQ(lines, "");
}

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(AccessLogWriter, AppendsBatchesInOrder) {
  const TemporaryDirectory files;
  const auto path = files.write("access.log", "earlier\n");
  std::string expected = "earlier\n";
  {
    const auto writer = opened(to(Target::kFile, path));
    for (int i = 0; i < 1000; ++i) {
      submit(*writer, std::to_string(i) + "\nand more\n");
      expected += std::to_string(i) + "\nand more\n";
    }
    submit(*writer, "");
    EXPECT_EQ(writer->dropped(), 0U);
  }
  EXPECT_EQ(content(path), expected);
}

TEST(AccessLogWriter, MakesAFileThatNotEverybodyReads) {
  const TemporaryDirectory files;
  const auto path = files.path("access.log");
  opened(to(Target::kFile, path));
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0137, 0U);
}

TEST(AccessLogWriter, WritesToTheNewFileOnceItWasAskedToReopen) {
  const TemporaryDirectory files;
  const auto path = files.path("access.log");
  for (int i = 0; i < 50; ++i) {
    {
      const auto writer = opened(to(Target::kFile, path));
      std::filesystem::rename(path, path + ".1");
      writer->reopen();
      submit(*writer, "after\n");
    }
    ASSERT_EQ(content(path), "after\n");
    ASSERT_EQ(content(path + ".1"), "");
    std::filesystem::remove(path);
  }
}

TEST(AccessLogWriter, KeepsItsFileWhereItCannotReopen) {
  const TemporaryDirectory files;
  const auto path = files.path("access.log");
  {
    const auto writer = opened(to(Target::kFile, path));
    std::filesystem::rename(path, path + ".1");
    std::filesystem::create_directory(path);
    writer->reopen();
    submit(*writer, "after\n");
  }
  EXPECT_EQ(content(path + ".1"), "after\n");
}

TEST(AccessLogWriter, SaysWhatItCannotOpen) {
  const TemporaryDirectory files;
  const auto pipe = files.path("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  struct Case {
    Target target;
    std::string path;
    ErrorCode code;
  };
  const Case cases[] = {
      {Target::kFile, files.path("none/access.log"), ErrorCode::kFile},
      {Target::kFile, files.path("."), ErrorCode::kFile},
      {Target::kFile, pipe, ErrorCode::kFile},  // nobody reads it: an error, not a wait
      {Target::kSyslog, files.path("none"), ErrorCode::kFile},
      {Target::kSyslog, "/" + std::string(200, 'x'), ErrorCode::kFile},
      {Target::kSyslog, "127.0.0.1:port", ErrorCode::kResolveFailed},
      {Target::kSyslog, "[::1", ErrorCode::kResolveFailed},
  };
  for (const Case& each : cases) {
    const auto writer = AccessLogWriter::open(to(each.target, each.path));
    ASSERT_FALSE(writer.has_value()) << each.path;
    EXPECT_EQ(writer.error().code, each.code) << describe(writer.error());
    EXPECT_THAT(describe(writer.error()), HasSubstr(each.path));
  }
  AccessLogOptions options = to(Target::kFile, files.path("access.log"));
  options.format = AccessLogOptions::Format::kTemplate;
  options.template_text = "{nothing}";
  EXPECT_EQ(AccessLogWriter::open(options).error().code, ErrorCode::kConfig);
}

TEST(AccessLogWriter, DropsAndCountsABatchThatNeverFits) {
  const TemporaryDirectory files;
  AccessLogOptions options = to(Target::kFile, files.path("access.log"));
  options.buffer = ByteSize{10};
  {
    const auto writer = opened(options);
    submit(*writer, "123456789\n");
    submit(*writer, "1\n2\n3\n4567890\n");
    EXPECT_EQ(writer->dropped(), 4U);
  }
  EXPECT_EQ(content(options.path), "123456789\n");
}

TEST(AccessLogWriter, ReportsEveryDropBeforeItEnds) {
  const TemporaryDirectory files;
  AccessLogOptions options = to(Target::kFile, files.path("access.log"));
  options.buffer = ByteSize{1};
  testing::internal::CaptureStderr();
  {
    const auto writer = opened(options);
    for (int i = 0; i < 100; ++i) submit(*writer, "too long\n");
    EXPECT_EQ(writer->dropped(), 100U);
  }
  const std::string log = testing::internal::GetCapturedStderr();
  int reported = 0;
  constexpr std::string_view kStart = "access log: ";
  for (auto at = log.find(kStart); at != std::string::npos; at = log.find(kStart, at + 1))
    reported += std::stoi(log.substr(at + kStart.size()));
  EXPECT_EQ(reported, 100) << log;
}

// A named pipe that is open for reading, though nobody reads.
class Pipe {
 public:
  explicit Pipe(const TemporaryDirectory& files) : path(files.path("pipe")) {
    if (::mkfifo(path.c_str(), 0600) != 0) throw std::runtime_error("mkfifo");
    end_ = Fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  }
  // What has arrived, after waiting a moment for it.
  std::string take() const {
    pollfd ready{end_.get(), POLLIN, 0};
    ::poll(&ready, 1, 20);
    std::string text(65'536, '\0');
    const ssize_t got = ::read(end_.get(), text.data(), text.size());
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
  }
  void close() { end_ = Fd(); }
  const std::string path;

 private:
  Fd end_;
};

TEST(AccessLogWriter, NeverWaitsForAFullPipeAndAccountsForEveryLine) {
  const TemporaryDirectory files;
  const Pipe pipe(files);
  AccessLogOptions options = to(Target::kFile, pipe.path);
  options.buffer = 16_KiB;
  const auto writer = opened(options);
  const std::string line = std::string(99, 'x') + "\n";
  std::uint64_t sent = 0;
  // Nobody reads: were submit() to wait, this would not end.
  while (writer->dropped() < 1000) {
    submit(*writer, line);
    ++sent;
  }
  std::string arrived;
  const auto patience = Clock::now() + std::chrono::seconds(10);
  while (arrived.size() / line.size() + writer->dropped() < sent && Clock::now() < patience) arrived += pipe.take();
  EXPECT_EQ(arrived.size() / line.size() + writer->dropped(), sent);
  for (std::size_t at = 0; at < arrived.size(); at += line.size()) ASSERT_EQ(arrived.substr(at, line.size()), line);
  // And it goes on where there is room again.
  submit(*writer, "last\n");
  std::string last;
  while (last.empty() && Clock::now() < patience) last += pipe.take();
  EXPECT_EQ(last, "last\n");
}

TEST(AccessLogWriter, EndsThoughNobodyReadsItsPipe) {
  const TemporaryDirectory files;
  const Pipe pipe(files);
  AccessLogOptions options = to(Target::kFile, pipe.path);
  auto writer = opened(options);
  submit(*writer, std::string(std::size_t{512} * 1024, 'x') + "\n");
  const auto begin = Clock::now();
  writer.reset();
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(5));
}

TEST(AccessLogWriter, CountsWhatAReaderThatWentAwayDidNotGet) {
  std::signal(SIGPIPE, SIG_IGN);
  const TemporaryDirectory files;
  Pipe pipe(files);
  const auto writer = opened(to(Target::kFile, pipe.path));
  pipe.close();
  submit(*writer, "1\n2\n3\n");
  const auto patience = Clock::now() + std::chrono::seconds(10);
  while (writer->dropped() < 3 && Clock::now() < patience) std::this_thread::yield();
  EXPECT_EQ(writer->dropped(), 3U);
}

// A disk that is full takes half a batch.
TEST(AccessLogWriter, BeginsANewLineAfterOneThatWasCutOff) {
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit whole{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &whole), 0);
  rlimit small = whole;
  small.rlim_cur = 10;
  const TemporaryDirectory files;
  const auto path = files.path("access.log");
  {
    const auto writer = opened(to(Target::kFile, path));
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    submit(*writer, "one\ntwo\nthree\nfour\n");
    const auto patience = Clock::now() + std::chrono::seconds(10);
    while (writer->dropped() == 0 && Clock::now() < patience) std::this_thread::yield();
    EXPECT_EQ(writer->dropped(), 2U);
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &whole), 0);
    submit(*writer, "five\n");
  }
  EXPECT_EQ(content(path), "one\ntwo\nth\nfive\n");
}

class Receiver {
 public:
  Receiver(int family, const sockaddr* address, socklen_t size)
      : socket_(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    bound_ = socket_ && ::bind(socket_.get(), address, size) == 0;
  }
  static Receiver at(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    return {AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof address};
  }
  static Receiver on_loopback(bool v6) {
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_addr = in6addr_loopback;
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (v6) return {AF_INET6, reinterpret_cast<const sockaddr*>(&six), sizeof six};
    return {AF_INET, reinterpret_cast<const sockaddr*>(&four), sizeof four};
  }
  bool bound() const { return bound_; }
  std::string port() const {
    sockaddr_in6 address{};
    socklen_t size = sizeof address;
    ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    return std::to_string(ntohs(address.sin6_port));  // where sin_port is, too
  }
  std::string take() const {
    pollfd ready{socket_.get(), POLLIN, 0};
    ::poll(&ready, 1, 10'000);
    std::string text(9000, '\0');
    const ssize_t got = ::recv(socket_.get(), text.data(), text.size(), MSG_DONTWAIT);
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
  }

 private:
  Fd socket_;
  bool bound_ = false;
};

// RFC 5424 6: PRI VERSION SP TIMESTAMP SP HOSTNAME SP APP-NAME SP PROCID SP MSGID SP STRUCTURED-DATA SP MSG.
const char* const kMessage =
    "<190>1 [0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z - rproxy - access - (one|two|three)";

TEST(AccessLogWriter, SendsSyslogAMessageForEachLine) {
  const TemporaryDirectory files;
  const Receiver receiver = Receiver::at(files.path("log"));
  const auto writer = opened(to(Target::kSyslog, files.path("log")));
  submit(*writer, "one\ntwo\n");
  submit(*writer, "three\n");
  for (const char* line : {"one", "two", "three"}) {
    const std::string message = receiver.take();
    EXPECT_THAT(message, MatchesRegex(kMessage));
    EXPECT_THAT(message, testing::EndsWith(line));
  }
}

TEST(AccessLogWriter, SendsSyslogOverUdp) {
  for (const bool v6 : {false, true}) {
    const Receiver receiver = Receiver::on_loopback(v6);
    if (!receiver.bound()) continue;  // a machine without IPv6
    const auto writer = opened(to(Target::kSyslog, (v6 ? "[::1]:" : "127.0.0.1:") + receiver.port()));
    submit(*writer, "one\n");
    EXPECT_THAT(receiver.take(), MatchesRegex(kMessage));
  }
}

TEST(AccessLogWriter, FindsASyslogThatWasRestarted) {
  const TemporaryDirectory files;
  const auto path = files.path("log");
  auto first = std::make_unique<Receiver>(Receiver::at(path));
  const auto writer = opened(to(Target::kSyslog, path));
  first.reset();
  std::filesystem::remove(path);
  const Receiver second = Receiver::at(path);
  submit(*writer, "one\n");
  EXPECT_THAT(second.take(), MatchesRegex(kMessage));
  EXPECT_EQ(writer->dropped(), 0U);
}

TEST(AccessLogWriter, CountsMessagesNoSyslogTook) {
  const TemporaryDirectory files;
  const auto path = files.path("log");
  auto receiver = std::make_unique<Receiver>(Receiver::at(path));
  const auto writer = opened(to(Target::kSyslog, path));
  receiver.reset();
  submit(*writer, "one\ntwo\n");
  const auto patience = Clock::now() + std::chrono::seconds(10);
  while (writer->dropped() < 2 && Clock::now() < patience) std::this_thread::yield();
  EXPECT_EQ(writer->dropped(), 2U);
}

TEST(AccessLog, GathersLinesUntilThereAreEnough) {
  const TemporaryDirectory files;
  AccessLogOptions options = to(Target::kFile, files.path("access.log"));
  options.format = AccessLogOptions::Format::kTemplate;
  options.template_text = "{status}";
  options.buffer = ByteSize{40};  // a batch is a quarter of it: two lines and a half
  {
    const auto writer = opened(options);
    AccessRecord record;
    AccessLog log(*writer);
    for (const std::uint16_t status : {201, 202, 203, 204}) {
      record.status = status;
      log.write(record);
    }
    log.flush();
    log.flush();
    record.status = 205;
    log.write(record);
  }
  EXPECT_EQ(content(options.path), "201\n202\n203\n204\n205\n");
}

}  // namespace
}  // namespace rproxy::proxy
