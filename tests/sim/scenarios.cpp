#include "sim/scenario.h"

#include <algorithm>

namespace rproxy::sim {
namespace {

using Then = OriginScript::Then;

std::string get(const std::string& target, const std::string& more = {}) {
  return "GET " + target + " HTTP/1.1\r\nHost: sim\r\n" + more + "\r\n";
}

std::string post(const std::string& target, const std::string& body, const std::string& more = {}) {
  return "POST " + target + " HTTP/1.1\r\nHost: sim\r\n" + more + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

std::string answer(const std::string& body, const std::string& more = {}) {
  return "HTTP/1.1 200 OK\r\nDate: now\r\n" + more + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

// Text in which a lost, doubled or displaced part shows.
std::string text(std::size_t size) {
  std::string result;
  for (int line = 0; result.size() < size; ++line) result += "line " + std::to_string(line) + "\n";
  result.resize(size);
  return result;
}

std::string chunks(const std::string& body, std::size_t chunk_size, const std::string& trailers = {}) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string result;
  for (std::size_t at = 0; at < body.size(); at += chunk_size) {
    const std::string chunk = body.substr(at, chunk_size);
    std::string size;
    for (std::size_t rest = chunk.size(); rest != 0; rest /= 16) size.insert(size.begin(), kDigits[rest % 16]);
    result.append(size).append("\r\n").append(chunk).append("\r\n");
  }
  return result + "0\r\n" + trailers + "\r\n";
}

std::string chunked(const std::string& start, const std::string& content) {
  return start + "Transfer-Encoding: chunked\r\n\r\n" + content;
}

const std::string kOk = "HTTP/1.1 200 OK\r\nDate: now\r\n";

void add_plain(std::vector<Scenario>& all) {
  all.push_back({"pipelined_gets",
                 {send(get("/a") + get("/b") + get("/c"))},
                 {{"GET /a", {{}, answer("first")}}, {"GET /b", {{}, answer("second")}}, {"GET /c", {{}, answer("")}}},
                 {{"GET", "200", "first"}, {"GET", "200", "second"}, {"GET", "200", ""}}});
  all.push_back({"heads_and_bare_statuses",
                 {send("HEAD /h HTTP/1.1\r\nHost: sim\r\n\r\n" + get("/none")), await_answers(2), send(get("/same"))},
                 {{"HEAD /h", {{}, kOk + "Content-Length: 5\r\n\r\n"}},
                  {"GET /none", {{}, "HTTP/1.1 204 No Content\r\nDate: now\r\n\r\n"}},
                  {"GET /same", {{}, "HTTP/1.1 304 Not Modified\r\nDate: now\r\nETag: \"x\"\r\n\r\n"}}},
                 {{"HEAD", "200"}, {"GET", "204"}, {"GET", "304"}}});
  all.push_back(
      {"chunked_answer_with_trailers",
       {send(get("/c") + get("/a"))},
       {{"GET /c", {{}, chunked(kOk, chunks(text(7000), 700, "X-Sum: 1\r\n"))}}, {"GET /a", {{}, answer("after")}}},
       {{"GET", "200", text(7000), {}, "X-Sum: 1\r\n"}, {"GET", "200", "after"}}});
  all.push_back(
      {"long_answer", {send(get("/l"))}, {{"GET /l", {{}, answer(text(8000))}}}, {{"GET", "200", text(8000)}}});
  all.push_back({"early_hints",
                 {send(get("/e"))},
                 {{"GET /e", {"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", answer("late")}}},
                 {{"GET", "200", "late", {"103"}}}});
}

void add_content(std::vector<Scenario>& all) {
  const std::string body = text(5000);
  all.push_back({"post_with_length",
                 {send(post("/p", body) + post("/q", "x") + get("/a"))},
                 {{"POST /p", {{}, answer("got it")}}, {"POST /q", {{}, answer("")}}, {"GET /a", {{}, answer("a")}}},
                 {{"POST", "200", "got it"}, {"POST", "200", ""}, {"GET", "200", "a"}}});
  all.push_back({"post_chunked_with_trailers",
                 {send(chunked("POST /p HTTP/1.1\r\nHost: sim\r\n", chunks(body, 1000, "X-Sum: 2\r\n")) + get("/a"))},
                 {{"POST /p", {{}, answer("got it")}}, {"GET /a", {{}, answer("a")}}},
                 {{"POST", "200", "got it"}, {"GET", "200", "a"}}});
  const std::string expecting =
      "POST /p HTTP/1.1\r\nHost: sim\r\nExpect: 100-continue\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\n\r\n";
  const std::string go_on = "HTTP/1.1 100 Continue\r\n\r\n";
  all.push_back({"continue",
                 {send(expecting), await("100 Continue"), send(body + get("/a"))},
                 {{"POST /p", {go_on, answer("got it")}}, {"GET /a", {{}, answer("a")}}},
                 {{"POST", "200", "got it", {"100"}}, {"GET", "200", "a"}}});
  all.push_back({"continue_that_the_origin_never_says",
                 {send(expecting), await("100 Continue"), send(body)},
                 {{"POST /p", {{}, answer("got it")}}},
                 {{"POST", "200", "got it", {"100"}}}});
  const std::string hints = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
  all.push_back({"continue_among_hints",
                 {send(expecting), await("100 Continue"), send(body)},
                 {{"POST /p", {hints + hints + go_on + hints, answer("got it")}}},
                 {{"POST", "200", "got it", {"103", "103", "100", "103"}}}});
  all.push_back({"hints_but_never_continue",
                 {send(expecting), await("100 Continue"), send(body)},
                 {{"POST /p", {hints, answer("got it")}}},
                 {{"POST", "200", "got it", {"103", "100"}}}});
  all.push_back({"half_a_head_instead_of_continue",
                 {send(expecting), await("100 Continue"), send(body)},
                 {{"POST /p", {kOk + "Content-Length: 6\r\n", "\r\ngot it"}}},
                 {{"POST", "200", "got it", {"100"}}}});
  all.push_back({"continue_refused",
                 {send(expecting)},
                 {{"POST /p", {"HTTP/1.1 403 Forbidden\r\nDate: now\r\nContent-Length: 2\r\n\r\nno", {}}}},
                 {{"POST", "403", "no"}}});
  Scenario early{"answer_while_content_comes",
                 {send(post("/p", body))},
                 {{"POST /p", {"HTTP/1.1 409 Conflict\r\nDate: now\r\nContent-Length: 4\r\n\r\nstop", {}}}},
                 {{"POST", "409", "stop"}}};
  early.is_racy = true;
  all.push_back(early);
  early.name = "answer_and_end_while_content_comes";
  early.origin["POST /p"].then = Then::kFinishEarly;
  early.is_uncertain = true;
  all.push_back(early);
}

void add_ends(std::vector<Scenario>& all) {
  Scenario until_close{"answer_until_close",
                       {send(get("/u") + get("/a"))},
                       {{"GET /u", {{}, kOk + "\r\n" + text(5000), Then::kFinish}}, {"GET /a", {{}, answer("a")}}},
                       {{"GET", "200", text(5000)}, {"GET", "200", "a"}}};
  until_close.origin_ends_content = true;
  all.push_back(until_close);
  all.push_back({"chunked_answer_to_http10",
                 {send("GET /c HTTP/1.0\r\nHost: sim\r\n\r\n")},
                 {{"GET /c", {{}, chunked(kOk, chunks(text(5000), 500))}}},
                 {{"GET", "200", text(5000)}}});
  all.push_back({"upgrade",
                 {send(get("/ws", "Connection: upgrade\r\nUpgrade: echo\r\n")), await("HTTP/1.1 101"), send(text(4000)),
                  await(text(4000)), send("bye"), await("bye"), finish()},
                 {{"GET /ws",
                   {{},
                    "HTTP/1.1 101 Switching Protocols\r\nDate: now\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n",
                    Then::kEcho}}},
                 {{"GET", "101", text(4000) + "bye"}}});
}

// Each endpoint keeps a connection, and it is no good the next time.
Scenario stale(const std::string& name, Then then) {
  Scenario scenario{name,
                    {send(get("/a")), await_answers(1), send(get("/b")), await_answers(2), send(get("/c")),
                     await_answers(3), send(get("/d"))},
                    {{"GET /a", {{}, answer("a"), then}},
                     {"GET /b", {{}, answer("b"), then}},
                     {"GET /c", {{}, answer("c"), then}},
                     {"GET /d", {{}, answer("d"), then}}},
                    {{"GET", "200", "a"}, {"GET", "200", "b"}, {"GET", "200", "c"}, {"GET", "200", "d"}}};
  scenario.spoils_kept = true;
  return scenario;
}

void add_stale(std::vector<Scenario>& all) {
  all.push_back(stale("kept_connection_ends_on_use", Then::kFinishOnNext));
  all.push_back(stale("kept_connection_resets_on_use", Then::kResetOnNext));
  all.push_back(stale("kept_connection_ends_at_once", Then::kFinish));
  Scenario post_on_stale = stale("post_on_a_kept_connection_that_ends", Then::kFinishOnNext);
  post_on_stale.client[4] = send(post("/c", "once"));
  post_on_stale.origin["POST /c"] = {{}, answer("c")};
  post_on_stale.expected[2] = {"POST", "502"};
  all.push_back(post_on_stale);
}

void add_bad_origins(std::vector<Scenario>& all) {
  const auto add = [&](const std::string& name, const std::string& said, const std::string& status) {
    all.push_back({name,
                   {send(get("/x") + get("/a"))},
                   {{"GET /x", {{}, said, Then::kFinish}}, {"GET /a", {{}, answer("a")}}},
                   {{"GET", status}, {"GET", "200", "a"}}});
  };
  add("malformed_answer", "HTTP/1.1 two hundred\r\n\r\n", "502");
  add("answer_with_too_large_head", kOk + "X: " + std::string(4000, 'x') + "\r\n\r\n", "502");
  add("answer_with_two_lengths", kOk + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", "502");
  const auto add_cut = [&](const std::string& name, const std::string& said) {
    for (const std::string version : {"1.1", "1.0"}) {
      Scenario cut{name + "_to_http" + (version == "1.1" ? "11" : "10"),
                   {send("GET /x HTTP/" + version + "\r\nHost: sim\r\n\r\n")},
                   {{"GET /x", {{}, said, Then::kFinish}}},
                   {{"GET", "200", "this is never whole"}}};
      cut.is_uncertain = true;
      all.push_back(cut);
    }
  };
  add_cut("answer_cut_short", kOk + "Content-Length: 100\r\n\r\nten bytes.");
  add_cut("chunked_answer_cut_short", chunked(kOk, "a\r\nten bytes.\r\n"));
  add_cut("chunked_answer_gone_bad", chunked(kOk, "a\r\nten bytes.\r\nno size\r\nxxxx\r\n0\r\n\r\n"));
}

// Bytes that nobody asked for must not become the next answer.
void add_unasked(std::vector<Scenario>& all) {
  const auto add = [&](const std::string& name, const std::string& first, const std::string& said,
                       const Expected& expected) {
    Scenario scenario{name,
                      {send(first), await_answers(1), send(get("/a")), await_answers(2), send(get("/b"))},
                      {{first.substr(0, first.find(" HTTP")), {{}, said + answer("poison")}},
                       {"GET /a", {{}, answer("a")}},
                       {"GET /b", {{}, answer("b")}}},
                      {expected, {"GET", "200", "a"}, {"GET", "200", "b"}}};
    scenario.is_whole_only = true;
    all.push_back(scenario);
  };
  add("answer_behind_an_answer", get("/x"), answer("x"), {"GET", "200", "x"});
  add("answer_behind_chunks", get("/x"), chunked(kOk, chunks("x", 1)), {"GET", "200", "x"});
  add("content_behind_no_content", get("/x"), "HTTP/1.1 204 No Content\r\n\r\n", {"GET", "204"});
  add("content_behind_head", "HEAD /x HTTP/1.1\r\nHost: sim\r\n\r\n", kOk + "Content-Length: 6\r\n\r\n",
      {"HEAD", "200"});
}

void add_bad_clients(std::vector<Scenario>& all) {
  all.push_back({"malformed_request", {send("GET / HTTP/1.1\r\nHost\r\n" + text(6000))}, {}, {{"GET", "400"}}});
  all.push_back({"request_with_too_large_head",
                 {send(get("/x", "X: " + std::string(9000, 'x') + "\r\n"))},
                 {},
                 {{"GET", "431"}}});
  Scenario large{"request_with_too_much_content",
                 {send(chunked("POST /p HTTP/1.1\r\nHost: sim\r\n", chunks(text(17'000), 900)))},
                 {{"POST /p", {{}, answer("never")}}},
                 {{"POST", "413"}}};
  large.is_racy = true;
  all.push_back(large);
  Scenario gone{"client_resets_before_the_answer", {send(get("/l")), reset()}, {}, {{"GET", "200", text(8000)}}};
  gone.origin["GET /l"] = {{}, answer(text(8000))};
  gone.is_uncertain = true;
  all.push_back(gone);
  gone.name = "client_resets_within_the_answer";
  gone.client = {send(get("/l")), await("line 9"), reset()};
  all.push_back(gone);
  gone.name = "client_ends_before_the_answer";
  gone.client = {send(get("/l")), finish()};
  all.push_back(gone);
  gone.name = "client_ends_within_its_content";
  gone.client = {send(post("/p", text(5000)).substr(0, 3000)), finish()};
  gone.origin["POST /p"] = {{}, answer("never")};
  gone.expected = {{"POST", "200", "this is never whole"}};
  all.push_back(gone);
  gone.name = "client_resets_within_its_content";
  gone.client.back() = reset();
  all.push_back(gone);
}

void add_grpc(std::vector<Scenario>& all) {
  const std::string call = "Content-Type: application/grpc-web-text\r\nAccept: application/grpc-web\r\n";
  const std::string grpc = kOk + "Content-Type: application/grpc\r\n";
  std::string letters;
  std::string base64;
  for (int i = 0; i < 800; ++i) {
    letters += i % 2 == 0 ? "foobar" : "fooba";
    base64 += i % 2 == 0 ? "Zm9vYmFy" : "Zm9vYmE=";
  }
  const std::string status = "grpc-status: 0\r\n";
  const std::string frame = std::string("\x80\0\0\0", 4) + static_cast<char>(status.size()) + status;
  Scenario web{
      "grpc_web",
      {send(post("/p", base64, call) + get("/a"))},
      {{"POST /p", {{}, chunked(grpc, chunks(text(5000), 500, "Grpc-Status: 0\r\n"))}}, {"GET /a", {{}, answer("a")}}},
      {{"POST", "200", text(5000) + frame}, {"GET", "200", "a"}}};
  web.decoded = letters;
  all.push_back(web);
  Scenario bad{"grpc_web_that_is_not_base64",
               {send(post("/p", base64 + "Zm=v" + base64, call))},
               {{"POST /p", {{}, answer("never")}}},
               {{"POST", "200"}}};
  bad.is_racy = true;
  all.push_back(bad);
  all.push_back({"grpc_deadline",
                 {send(post("/p", text(3000), "Content-Type: application/grpc\r\ngrpc-timeout: 1S\r\n") + get("/a"))},
                 {{"POST /p", {{}, {}}}, {"GET /a", {{}, answer("a")}}},
                 {{"POST", "200"}, {"GET", "200", "a"}}});
}

void add_tries(std::vector<Scenario>& all) {
  // No page of ours has this status.
  const auto busy = "HTTP/1.1 429 Too Many Requests\r\nDate: now\r\nContent-Length: 4\r\n\r\nbusy";
  all.push_back({"status_that_is_tried_again",
                 {send(get("/r") + get("/a"))},
                 {{"GET /r", {{}, busy}}, {"GET /a", {{}, answer("a")}}},
                 {{"GET", "429", "busy"}, {"GET", "200", "a"}}});
  const std::string body = text(3000);
  all.push_back({"content_that_is_sent_again",
                 {send("PUT /r HTTP/1.1\r\nHost: sim\r\nContent-Length: 3000\r\n\r\n" + body + get("/a"))},
                 {{"PUT /r", {{}, busy}}, {"GET /a", {{}, answer("a")}}},
                 {{"PUT", "429", "busy"}, {"GET", "200", "a"}}});
  // Which of both wins is not for the script to say.
  Scenario hedged{"second_try_beside_a_mute_one",
                  {send(get("/h") + get("/a"))},
                  {{"GET /h", {{}, answer(text(4000))}}, {"GET /a", {{}, answer("a")}}},
                  {{"GET", "200", text(4000)}, {"GET", "200", "a"}}};
  hedged.origin["GET /h"].is_mute_first = true;
  hedged.is_racy = true;
  hedged.hedges = true;
  all.push_back(hedged);
  hedged.name = "second_try_with_content";
  hedged.client = {send("PUT /h HTTP/1.1\r\nHost: sim\r\nContent-Length: 3000\r\n\r\n" + body + get("/a"))};
  hedged.origin["PUT /h"] = hedged.origin["GET /h"];
  hedged.expected[0].method = "PUT";
  all.push_back(hedged);
}

// Copies go elsewhere, and nobody sees what comes of them.
void add_mirrored(std::vector<Scenario>& all) {
  std::vector<Scenario> made;
  add_plain(made);
  add_content(made);
  for (Scenario& one : made) {
    if (one.name != "pipelined_gets" && one.name != "post_with_length" && one.name != "post_chunked_with_trailers")
      continue;
    one.name += "_mirrored";
    one.mirrors = true;
    all.push_back(std::move(one));
  }
}

// What has been fetched is there for the next, and who leaves takes nothing from those who wait for the same.
void add_cached(std::vector<Scenario>& all) {
  const std::string fresh = "Cache-Control: max-age=600\r\nETag: \"x\"\r\n";
  Scenario hits{"cached_answers",
                {send(get("/a")), await_answers(1),
                 send(get("/a", "If-None-Match: \"x\"\r\n") + "HEAD /a HTTP/1.1\r\nHost: sim\r\n\r\n" + get("/p")),
                 await_answers(4), send(get("/a") + get("/p"))},
                {{"GET /a", {{}, answer(text(4000), fresh)}},
                 {"HEAD /a", {{}, kOk + fresh + "Content-Length: 4000\r\n\r\n"}},
                 {"GET /p", {{}, answer("mine", "Cache-Control: private\r\n")}}},
                {{"GET", "200", text(4000)},
                 {"GET", "304"},
                 {"HEAD", "200"},
                 {"GET", "200", "mine"},
                 {"GET", "200", text(4000)},
                 {"GET", "200", "mine"}}};
  hits.caches = true;
  all.push_back(hits);
  Scenario gone{"client_of_a_cache_resets_within_the_answer",
                {send(get("/l")), await("line 9"), reset()},
                {{"GET /l", {{}, answer(text(8000), fresh)}}},
                {{"GET", "200", text(8000)}}};
  gone.caches = true;
  gone.is_uncertain = true;
  all.push_back(gone);
}

std::vector<Scenario> make_scenarios() {
  std::vector<Scenario> all;
  add_plain(all);
  add_content(all);
  add_ends(all);
  add_stale(all);
  add_bad_origins(all);
  add_unasked(all);
  add_bad_clients(all);
  add_grpc(all);
  add_tries(all);
  add_cached(all);
  add_mirrored(all);
  return all;
}

}  // namespace

std::vector<Message> Scenario::requests() const {
  std::string said;
  for (const ClientStep& step : client)
    said += step.text.empty() || step.kind != ClientStep::Kind::kSend ? "" : step.text;
  std::vector<Message> all;
  for (std::string_view rest = said; !rest.empty();) {
    Message request = read_request(rest);
    if (request.head.empty()) break;
    all.push_back(request);
    if (!request.whole) break;
    if (!decoded.empty() && request.name().starts_with("POST")) all.back().body = decoded;
    rest.remove_prefix(request.size);
  }
  return all;
}

Scenario Scenario::below(const std::string& directory) const {
  const auto moved = [&](std::string said) {
    for (auto at = said.find(" /"); at != std::string::npos; at = said.find(" /", at + 2)) {
      said.insert(at + 2, directory + "/");
    }
    return said;
  };
  Scenario result = *this;
  result.origin.clear();
  for (const auto& [name, script] : origin) result.origin[moved(name)] = script;
  for (ClientStep& step : result.client) step.text = moved(step.text);
  return result;
}

bool Scenario::ends_by_close() const {
  return expected.back().status == "101" || client.front().text.find("HTTP/1.0") != std::string::npos;
}

bool Scenario::may_be_tried_again() const {
  return !is_racy && !is_uncertain && std::all_of(expected.begin(), expected.end(), [](const Expected& one) {
    return one.status != "101" && (one.method == "GET" || one.method == "HEAD");
  });
}

const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> all = make_scenarios();
  return all;
}

}  // namespace rproxy::sim
