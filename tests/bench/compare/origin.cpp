// A lean origin for comparisons: one thread, epoll, a fixed answer per path. It looks only for the end of the head.
//   /small  128 bytes      /1m  1 MiB      /text/json, /text/html, /text/js  50 KiB to be compressed      anything else as /small
// Usage: origin PORT
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <string_view>
#include <unordered_map>

namespace {

struct Connection {
  std::string in;
  std::string_view out;
};

std::string answer_with(const std::string& content, const char* type) {
  return std::string("HTTP/1.1 200 OK\r\nContent-Type: ") + type +
         "\r\nContent-Length: " + std::to_string(content.size()) + "\r\n\r\n" + content;
}

// Numbers that are always the same, and look like none.
class Numbers {
 public:
  unsigned next(unsigned below) {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<unsigned>(state_ >> 33U) % below;
  }
  std::string word() {
    static const char* const kSyllables[] = {"ba", "co", "de", "fi", "gu", "la", "me", "no", "pri", "ra", "so", "tu"};
    std::string word;
    // Some are frequent.
    unsigned which = next(4) == 0 ? next(3000) : next(60);
    for (which += 20; which != 0; which /= 12) word += kSyllables[which % 12];
    return word;
  }

 private:
  std::uint64_t state_ = 42;
};

constexpr std::size_t kText = 50 * 1024;

std::string json() {
  Numbers numbers;
  std::string out = "[";
  while (out.size() < kText) {
    out += R"({"id":)" + std::to_string(numbers.next(1'000'000)) + R"(,"name":")" + numbers.word() + " " +
           numbers.word() + R"(","price":)" + std::to_string(numbers.next(100'000)) + R"(,"in_stock":)" +
           (numbers.next(2) == 0 ? "true" : "false") + R"(,"tags":[")" + numbers.word() + R"(",")" + numbers.word() +
           R"("]},)";
  }
  out.resize(kText);
  return out;
}

std::string html() {
  Numbers numbers;
  std::string out = "<!doctype html><html><head><title>Shop</title></head><body>";
  while (out.size() < kText) {
    out += R"(<div class="item"><h2><a href="/items/)" + std::to_string(numbers.next(100'000)) + R"(">)" +
           numbers.word() + "</a></h2><p>";
    for (int i = 0; i < 30; ++i) out += numbers.word() + " ";
    out += "</p></div>\n";
  }
  out.resize(kText);
  return out;
}

std::string script() {
  Numbers numbers;
  std::string out;
  while (out.size() < kText) {
    const std::string name = numbers.word();
    out += "export function " + name + "(" + numbers.word() + ") {\n  const " + numbers.word() + " = this." +
           numbers.word() + "(" + std::to_string(numbers.next(1000)) + ");\n  if (" + numbers.word() +
           " === undefined) return null;\n  return " + numbers.word() + ".map((" + numbers.word() + ") => " +
           numbers.word() + "." + name + ");\n}\n";
  }
  out.resize(kText);
  return out;
}

std::string answer(std::size_t size, const char* fields = "") {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n" + std::string(fields) +
         "Content-Length: " + std::to_string(size) + "\r\n\r\n" + std::string(size, 'x');
}

struct Answers {
  std::string small = answer(128);
  std::string large = answer(1 << 20);
  // For caches.
  std::string hit_1k = answer(1 << 10, "Cache-Control: max-age=3600\r\n");
  std::string hit_64k = answer(1 << 16, "Cache-Control: max-age=3600\r\n");
  std::string hit_1m = answer(1 << 20, "Cache-Control: max-age=3600\r\n");

  std::string json_text = answer_with(json(), "application/json");
  std::string html_text = answer_with(html(), "text/html");
  std::string script_text = answer_with(script(), "text/javascript");

  std::string_view to(std::string_view head) const {
    const auto asks = [&](std::string_view path) { return head.find(path) != std::string_view::npos; };
    if (asks(" /text/")) return asks("/json ") ? json_text : asks("/html ") ? html_text : script_text;
    if (!asks(" /hit/")) return asks(" /1m ") ? large : small;
    return asks("/1k ") ? hit_1k : asks("/64k ") ? hit_64k : hit_1m;
  }
};

// False when the connection is over.
bool serve(int fd, Connection& connection, const Answers& answers) {
  char buffer[16384];
  for (;;) {
    if (!connection.out.empty()) {
      const ssize_t sent = send(fd, connection.out.data(), connection.out.size(), MSG_NOSIGNAL);
      if (sent < 0) return errno == EAGAIN;
      connection.out.remove_prefix(static_cast<std::size_t>(sent));
      if (!connection.out.empty()) continue;
    }
    if (const auto end = connection.in.find("\r\n\r\n"); end != std::string::npos) {
      connection.out = answers.to(std::string_view(connection.in).substr(0, end));
      connection.in.erase(0, end + 4);
      continue;
    }
    const ssize_t received = recv(fd, buffer, sizeof buffer, 0);
    if (received < 0) return errno == EAGAIN;
    if (received == 0) return false;
    connection.in.append(buffer, static_cast<std::size_t>(received));
    if (connection.in.size() > 65536) return false;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const Answers answers;
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const int one = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(argv[1])));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(listener, 4096) != 0)
    return 1;

  const int poll = epoll_create1(0);
  epoll_event listening{EPOLLIN, {.fd = listener}};
  epoll_ctl(poll, EPOLL_CTL_ADD, listener, &listening);
  std::unordered_map<int, Connection> connections;
  epoll_event events[256];
  for (;;) {
    const int count = epoll_wait(poll, events, 256, -1);
    for (int i = 0; i < count; ++i) {
      int fd = events[i].data.fd;
      if (fd != listener) {
        if (serve(fd, connections[fd], answers)) continue;
        connections.erase(fd);
        close(fd);
        continue;
      }
      while ((fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        epoll_event event{EPOLLIN | EPOLLOUT | EPOLLET, {.fd = fd}};
        epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
        connections[fd] = {};
      }
    }
  }
}
