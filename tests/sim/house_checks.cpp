// What must be so after a run, and what may be expected of one.
#include <gtest/gtest.h>

#include <algorithm>

#include "sim/house.h"

namespace rproxy::sim {
namespace {

const Scenario& probe() {
  static const Scenario scenario{"probe",
                                 {send("GET /probe HTTP/1.1\r\nHost: sim\r\n\r\n")},
                                 {{"GET /probe", {{}, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nprobe"}}},
                                 {{"GET", "200", "probe"}}};
  return scenario;
}

// HTTP/2 knows no capitals in names.
std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

}  // namespace

void House::check_invariants() {
  for (const auto& client : clients_) check_answers(*client);
  check_requests();
  if (is_http2_upstream() || has_mirror() || has_cache()) settle();
  check_resources();
  check_kept_connections();
}

void House::check_answers(const Client& client) const {
  const Scenario& scenario = client.scenario();
  const Answers answers = client.answers();
  // Who is late with half a request line does not hear that it was to be a HEAD.
  const bool timed_out = !answers.list.empty() && answers.list.back().final.name() == "408";
  EXPECT_TRUE(answers.rest.empty() || timed_out) << "answers nothing: " << answers.rest;
  for (std::size_t i = 0; i < answers.list.size(); ++i) {
    const Message& got = answers.list[i].final;
    const Expected& expected = scenario.expected[i];
    if (!got.whole) {
      EXPECT_TRUE(is_http2() || i + 1 == answers.list.size());
      // What has come of it is right, so far.
      EXPECT_TRUE(!is_http2() || scenario.is_uncertain || got.head.empty() || got.name() != expected.status ||
                  !expected.has_own_content() || expected.body.starts_with(got.body))
          << "answer " << i;
    } else if (!got.field("grpc-status").empty()) {
      // As good as a page.
      EXPECT_EQ(got.body, "") << "answer " << i;
    } else if (got.name() == expected.status && may_be_cut_unseen(scenario, expected)) {
      EXPECT_TRUE(expected.body.starts_with(got.body)) << "answer " << i;
    } else if (got.name() == expected.status && expected.has_own_content()) {
      EXPECT_EQ(got.body, expected.body) << "answer " << i;
      EXPECT_EQ(lower(got.trailers), lower(expected.trailers)) << "answer " << i;
    } else if (expected.has_own_content()) {
      EXPECT_GE(got.name(), "400") << "answer " << i;
    }
  }
}

// What only the connection's end delimits: nobody can tell an orderly one in its midst. Tunnels end however they end.
bool House::may_be_cut_unseen(const Scenario& scenario, const Expected& expected) const {
  return expected.status == "101" ||
         (scenario.origin_ends_content && tls_ == nullptr && world_.has_failed() && world_.fault() == Fault::kEnd);
}

// Whole requests are the clients' own, and what must not be done twice is not even begun twice.
void House::check_requests() const {
  std::map<std::string, std::vector<Message>> asked;
  for (const Scenario& scenario : scenarios_) {
    for (Message& request : scenario.requests()) asked[request.name()].push_back(std::move(request));
  }
  for (const Message& got : origin_.requests()) {
    const auto& same = asked[got.name()];
    EXPECT_TRUE(std::any_of(same.begin(), same.end(),
                            [&](const Message& request) {
                              return request.whole && request.body == got.body &&
                                     lower(request.trailers) == lower(got.trailers);
                            }))
        << "nobody asked for " << got.canonical();
  }
  for (const auto& [name, times] : origin_.heads()) {
    EXPECT_TRUE(!name.starts_with("POST") || times <= asked[name].size()) << name << " was sent again";
  }
}

void House::check_resources() {
  EXPECT_TRUE(is_over());
  const auto set = upstream_->endpoints();
  for (const auto* state : set->states()) EXPECT_EQ(state->in_flight(), 0U) << state->name();
  EXPECT_EQ(world_.streams, idle_count()) << "a connection is held by nobody";
  EXPECT_EQ(users_.count(), 0U) << "a fetch goes on";
  EXPECT_EQ(cache_.filling().load(), 0) << "content is coming from nowhere";
  std::size_t asked = 0;
  std::size_t answered = 0;
  for (const auto& client : clients_) {
    asked += client->scenario().expected.size();
    answered += client->whole_answers();
  }
  EXPECT_LE(finished_, asked) << "a request was told of twice";
  EXPECT_TRUE(was_cancelled_ || finished_ >= answered) << "an answer was not told of";
}

// What a failed exchange leaves behind must not answer the next one.
void House::check_kept_connections() {
  world_.stop_faults();
  context_->draining = false;
  origin_.follow(probe().origin);
  shadow_origin_.follow(probe().origin);
  for (int i = 0; i < 3; ++i) {
    const auto next = make_client(probe());
    serve(*next);
    EXPECT_TRUE(run());
    const auto answers = next->answers().list;
    const bool answered = answers.size() == 1 && answers[0].final.whole;
    // Nobody knows of a kept connection that its endpoint has fallen silent.
    const bool timed_out = answered && answers[0].final.name() == "504" && world_.fault() == Fault::kStall;
    if (!answered || (answers[0].final.body != "probe" && !timed_out)) {
      ADD_FAILURE() << "a later request got:\n" << next->received();
    }
    tasks_.cancel_all();
  }
  if (has_mirror()) settle();
  pool_->close_idle();
  shadow_pool_->close_idle();
  run_out();
  EXPECT_EQ(world_.streams, 0U);
}

bool House::may_try_again() const {
  return world_.has_failed_harmlessly() && std::all_of(scenarios_.begin(), scenarios_.end(),
                                                       [](const Scenario& one) { return one.may_be_tried_again(); });
}

void House::check_answered(std::size_t count) const {
  const Client& client = *clients_.front();
  if (client.scenario().is_uncertain) return;
  const auto answers = client.answers().list;
  EXPECT_GE(is_http2() ? client.whole_answers() : answers.size(), count) << client.received();
  for (std::size_t i = 0; i < answers.size(); ++i) {
    // Streams have no order.
    if (is_http2() && answers[i].final.head.empty()) continue;
    const Expected& expected = client.scenario().expected[i];
    EXPECT_TRUE(!expected.has_own_content() || answers[i].final.name() == expected.status) << "answer " << i;
    EXPECT_TRUE(answers[i].final.whole) << "answer " << i;
  }
}

void House::check_expected() const {
  for (const auto& client : clients_) {
    // The notice that ends a TLS stream goes as far as it can without waiting.
    const bool is_end_certain = tls_ == nullptr || !world_.in_pieces() || !client->scenario().ends_by_close();
    if (!client->scenario().is_uncertain) check_expected(*client, is_end_certain);
  }
}

void House::check_expected(const Client& client, bool is_end_certain) {
  const auto answers = client.answers().list;
  const auto& all = client.scenario().expected;
  ASSERT_EQ(answers.size(), all.size()) << client.received();
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const Expected& expected = all[i];
    EXPECT_EQ(answers[i].final.name(), expected.status) << "answer " << i << " of:\n" << client.received();
    EXPECT_TRUE(answers[i].final.whole || !is_end_certain) << "answer " << i;
    EXPECT_TRUE(!expected.has_own_content() || answers[i].final.body == expected.body) << answers[i].final.body;
    EXPECT_EQ(answers[i].interim, expected.interim) << "answer " << i;
    EXPECT_EQ(lower(answers[i].final.trailers), lower(expected.trailers)) << "answer " << i;
  }
}

std::string House::client_view() const {
  std::string view;
  for (const Answer& answer : clients_.front()->answers().list) {
    for (const auto& status : answer.interim) view += "interim " + status + "\n";
    view += answer.final.canonical();
  }
  return view;
}

std::string House::origin_view() const {
  std::string view;
  for (const Message& request : origin_.requests()) view += request.canonical();
  return view;
}

}  // namespace rproxy::sim
