// A server's HTTP/2 session: any split of the bytes means the same, and whatever its streams' owners do meanwhile, what it sends are whole
// frames and what it counts is right.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "fuzz.h"
#include "http2/session.h"

namespace {

using namespace rproxy;
using http2::ErrorWord;
using http2::Session;

constexpr std::string_view kPreface("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33);
const http::HeadLimits kLimits{ByteSize{1024}, ByteSize{128}, 10};
const TimePoint kNow = TimePoint{} + std::chrono::hours(1);

// What the owners of streams do, as the input says; at its end they do the first of all things.
struct Choices {
  std::string_view bytes;
  std::size_t below(std::size_t count) {
    if (bytes.empty()) return 0;
    const auto byte = static_cast<unsigned char>(bytes[0]);
    bytes.remove_prefix(1);
    return byte % count;
  }
};

struct Owner final : http2::Stream {
  Owner() { block.start(head.fields, arena, kLimits); }
  void on_block(bool last) override {
    FUZZ_CHECK(!closed && !ended);
    notes += last ? "block last\n" : "block\n";
    if (has_head) {
      FUZZ_CHECK(last);
      (void)block.finish_trailers(Side::kClient);
      for (const auto& field : trailer_fields) notes.append(field.name).append("=").append(field.value);
    } else {
      const http::PathPolicy paths;
      const bool good = block.finish_request(head, paths, !last).has_value();
      FUZZ_CHECK(!good || head.path == "*" || head.path.starts_with('/'));
      FUZZ_CHECK(!good || (!head.host.empty() && !head.method.empty()));
      notes.append(head.method).append(head.path).append(good ? "good" : "bad");
      block.start(trailer_fields, arena, kLimits);
    }
    has_head = true;
    ended = last;
  }
  void on_content(std::string_view bytes) override {
    FUZZ_CHECK(has_head && !closed && !ended);
    content += bytes;
    unread += bytes.size();
  }
  void on_end() override {
    FUZZ_CHECK(has_head && !closed && !ended);
    ended = true;
    notes += "end\n";
  }
  void on_taken() override { FUZZ_CHECK(!closed && (!has_out || sent_last)); }
  void on_close(std::uint32_t error) override {
    FUZZ_CHECK(!closed);
    closed = true;
    id = 0;
    notes += "closed " + std::to_string(error);
  }

  http::RequestHead head;
  http::Fields trailer_fields;
  Arena arena;
  std::string notes;
  std::string content;
  std::string slice;
  std::size_t unread = 0;
  bool has_head = false;
  bool ended = false;
  bool closed = false;
  bool answered = false;
};

struct Server final : Session::Acceptor {
  http2::Stream& accept() override {
    owners.push_back(std::make_unique<Owner>());
    return *owners.back();
  }

  void drain(std::size_t capacity) {
    const auto room = std::make_unique<char[]>(capacity);
    Session::Output out{room.get(), capacity};
    session.drain(out);
    FUZZ_CHECK(out.size <= capacity);
    sent.append(room.get(), out.size);
    last_size = out.size;
  }
  void drain_all() {
    while (session.wants_to_send()) {
      drain(16384);
      if (last_size == 0) break;
    }
  }
  std::string all_notes() const {
    std::string all;
    for (const auto& owner : owners) all += owner->notes + owner->content + "\n";
    return all + std::string(session.abuse());
  }

  http2::Options options = [] {
    http2::Options chosen;
    chosen.max_streams = 8;
    chosen.abuse = {100, 10, 10, 1};
    return chosen;
  }();
  std::vector<std::unique_ptr<Owner>> owners;
  std::string sent;
  std::size_t last_size = 0;
  Session session{Session::Role::kServer, options, kLimits, this};
};

void act(Server& server, Owner& owner, Choices& choices) {
  Session& session = server.session;
  http::ResponseHead head;
  switch (choices.below(8)) {
    case 0:
      session.consumed(owner, std::exchange(owner.unread, 0));
      return;
    case 1:
    case 2:
      if (!owner.has_head || std::exchange(owner.answered, true)) return;
      head.fields.add("X-Answer", "1");
      return session.respond(owner, head, {}, choices.below(4) != 0);
    case 3:
      if (owner.has_head && !owner.answered) session.respond_interim(owner, head);
      return;
    case 4:
    case 5:
      if (!owner.answered || owner.has_out || owner.out_is_last) return;
      owner.slice.assign(choices.below(200) * 37, 'x');
      owner.out = owner.slice;
      owner.out_is_last = choices.below(2) == 0;
      owner.trailers = choices.below(2) == 0 ? &owner.trailer_fields : nullptr;
      owner.has_out = true;
      return session.resume(owner);
    case 6:
      return session.reset(owner, ErrorWord::kCancel);
    default:
      session.detach(owner, ErrorWord::kInternalError);
      std::erase_if(server.owners, [&](const auto& each) { return each.get() == &owner; });
      return;
  }
}

// What is sent are whole frames, up to the last.
void check_frames(std::string_view sent) {
  while (!sent.empty()) {
    FUZZ_CHECK(sent.size() >= 9);
    std::size_t size = 0;
    for (int i = 0; i < 3; ++i) size = size << 8 | static_cast<unsigned char>(sent[static_cast<std::size_t>(i)]);
    FUZZ_CHECK(size <= 16384 && sent.size() >= 9 + size);
    sent.remove_prefix(9 + size);
  }
}

void check_splits(std::string_view said, std::size_t step) {
  Server whole;
  const bool good = whole.session.feed(said, kNow);
  whole.drain_all();
  Server split;
  bool still_good = true;
  for (std::size_t at = 0; at < said.size(); at += step) {
    still_good = split.session.feed(said.substr(at, step), kNow);
  }
  split.drain_all();
  // Once the client has said that it goes, nghttp2 looks at no further bytes where no stream is left.
  if (whole.session.is_going_away()) return check_frames(whole.sent);
  FUZZ_CHECK(said.empty() || good == still_good);
  FUZZ_CHECK(whole.all_notes() == split.all_notes());
  FUZZ_CHECK(whole.sent == split.sent);
  check_frames(whole.sent);
}

void check_owners(std::string_view said, std::size_t step, Choices choices) {
  Server server;
  for (std::size_t at = 0; at < said.size(); at += step) {
    server.session.feed(said.substr(at, step), kNow);
    for (int i = 0; i < 4 && !server.owners.empty(); ++i) {
      act(server, *server.owners[choices.below(server.owners.size())], choices);
    }
    const std::size_t turn = choices.below(16);
    if (turn == 15) server.session.announce_shutdown();
    if (turn == 14) server.session.shut_down();
    if (turn < 8) server.drain(Session::kRoomMin + turn * 100);
    const auto open =
        std::count_if(server.owners.begin(), server.owners.end(), [](const auto& owner) { return owner->id != 0; });
    FUZZ_CHECK(server.session.open_streams() == static_cast<std::size_t>(open));
  }
  server.drain_all();
  check_frames(server.sent);
}

}  // namespace

// The first byte says how bytes are split and whether they begin as they must; the second, how many bytes from there on say what the owners do.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto input = text_of(data, size);
  const auto first = static_cast<unsigned char>(input[0]);
  const std::size_t chosen = std::min<std::size_t>(size - 1, 1 + static_cast<unsigned char>(input[1]) % 64);
  std::string said((first & 1) != 0 ? std::string_view() : kPreface);
  said += input.substr(1 + chosen);
  const std::size_t step = 1 + first / 2;
  check_splits(said, step);
  check_owners(said, step, {input.substr(1, chosen)});
  return 0;
}
