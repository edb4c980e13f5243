#include "sim/message.h"

#include <strings.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <optional>
#include <utility>

namespace rproxy::sim {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](unsigned char c) { return std::tolower(c); });
  return result;
}

// Where the field's value begins.
std::size_t find_field(std::string_view head, std::string_view name) {
  for (auto line = head.find(kLineEnd); line != std::string_view::npos; line = head.find(kLineEnd, line + 2)) {
    const auto field = head.substr(line + 2);
    if (field.size() < name.size() + 2 || field[name.size()] != ':') continue;
    if (::strncasecmp(field.data(), name.data(), name.size()) == 0) return line + name.size() + 4;
  }
  return std::string_view::npos;
}

// Request ids are 32 hexadecimal digits and differ from run to run.
void mask_ids(std::string& text) {
  std::size_t run = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && std::isxdigit(static_cast<unsigned char>(text[i])) != 0) {
      ++run;
      continue;
    }
    if (run == 32) std::fill_n(text.begin() + static_cast<std::ptrdiff_t>(i - run), run, '#');
    run = 0;
  }
}

std::string without_date(std::string head) {
  const auto at = find_field(head, "date");
  if (at != std::string::npos) head.erase(at, head.find(kLineEnd, at) - at);
  return head;
}

struct Chunks {
  std::string body;
  std::string trailers;
  std::size_t size = 0;
  bool whole = false;
};

Chunks read_chunks(std::string_view bytes) {
  Chunks chunks;
  for (std::size_t at = 0;;) {
    const auto line = bytes.find(kLineEnd, at);
    if (line == std::string_view::npos) return chunks;
    const auto size = std::strtoul(std::string(bytes.substr(at, line - at)).c_str(), nullptr, 16);
    at = line + 2;
    if (size == 0) {
      const auto end = bytes.substr(at, 2) == kLineEnd ? at : bytes.find("\r\n\r\n", at);
      if (end == std::string_view::npos || bytes.size() < at + 2) return chunks;
      chunks.trailers = bytes.substr(at, end == at ? 0 : end + 2 - at);
      chunks.size = end == at ? at + 2 : end + 4;
      chunks.whole = true;
      return chunks;
    }
    chunks.body += bytes.substr(at, size);
    at += size + 2;
    if (at > bytes.size()) return chunks;
  }
}

// The head, if it is there, and where the content begins.
std::optional<std::size_t> read_head(std::string_view bytes, Message& message) {
  const auto end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  message.head = bytes.substr(0, end + 2);
  return end + 4;
}

void take_fixed(std::string_view content, std::size_t length, Message& message) {
  message.body = content.substr(0, length);
  message.whole = content.size() >= length;
  message.size += length;
}

void take_chunked(std::string_view content, Message& message) {
  Chunks chunks = read_chunks(content);
  message.body = std::move(chunks.body);
  message.trailers = std::move(chunks.trailers);
  message.whole = chunks.whole;
  message.size += chunks.size;
}

}  // namespace

std::string Message::name() const {
  const auto first = head.find(' ');
  const auto second = head.find(' ', first + 1);
  return head.starts_with("HTTP/") ? head.substr(first + 1, 3) : head.substr(0, second);
}

std::string Message::field(std::string_view name) const {
  const auto at = find_field(head, name);
  return at == std::string::npos ? std::string() : head.substr(at, head.find(kLineEnd, at) - at);
}

std::string Message::canonical() const {
  std::string text = without_date(head) + "\n" + body + "\n" + trailers + (whole ? "whole\n" : "cut\n");
  mask_ids(text);
  return text;
}

Message read_request(std::string_view bytes) {
  Message message;
  const auto at = read_head(bytes, message);
  if (!at) return message;
  message.size = *at;
  const auto content = bytes.substr(*at);
  if (lower(message.field("transfer-encoding")) == "chunked") {
    take_chunked(content, message);
  } else {
    take_fixed(content, std::strtoul(message.field("content-length").c_str(), nullptr, 10), message);
  }
  return message;
}

Message read_response(std::string_view bytes, std::string_view method, bool ended) {
  Message message;
  const auto at = read_head(bytes, message);
  if (!at) return message;
  message.size = *at;
  const auto content = bytes.substr(*at);
  const std::string status = message.name();
  const bool bare = method == "HEAD" || status == "204" || status == "304";
  if (bare || (status[0] == '1' && status != "101")) {
    message.whole = true;
  } else if (status != "101" && lower(message.field("transfer-encoding")) == "chunked") {
    take_chunked(content, message);
  } else if (const auto length = message.field("content-length"); status != "101" && !length.empty()) {
    take_fixed(content, std::strtoul(length.c_str(), nullptr, 10), message);
  } else {
    take_fixed(content, content.size(), message);
    message.whole = ended;
  }
  return message;
}

Answers read_answers(std::string_view bytes, const std::vector<std::string>& methods, bool ended) {
  Answers answers;
  Answer answer;
  while (!bytes.empty() && answers.list.size() < methods.size()) {
    answer.final = read_response(bytes, methods[answers.list.size()], ended);
    if (answer.final.head.empty()) {
      // The beginning of a head is the beginning of an answer.
      constexpr std::string_view kStart = "HTTP/1.1 ";
      if (bytes.substr(0, kStart.size()) == kStart.substr(0, bytes.size())) bytes = {};
      break;
    }
    if (!answer.final.whole) {
      answers.list.push_back(std::move(answer));
      return answers;
    }
    bytes.remove_prefix(answer.final.size);
    const std::string status = answer.final.name();
    if (status[0] == '1' && status != "101") {
      answer.interim.push_back(status);
    } else {
      answers.list.push_back(std::exchange(answer, {}));
    }
  }
  answers.rest = bytes;
  return answers;
}

}  // namespace rproxy::sim
