#include "sim/house.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

namespace rproxy::sim {
namespace {

// Small, so that heads and contents meet the buffer's end.
constexpr std::size_t kHeadMax = 2048;
constexpr std::size_t kBufferSize = kHeadMax + 1024;
constexpr std::uint64_t kBodyMax = 16 * 1024;
constexpr std::uint64_t kHours = std::uint64_t{3} * 3600 * 20;  // in ticks
constexpr std::size_t kEndpoints = 2;

upstream::Options make_upstream_options() {
  upstream::Options options;
  options.name = "origins";
  options.policy = balance::PolicyKind::kRoundRobin;
  options.head.head.bytes = kHeadMax;
  for (std::uint16_t i = 1; i <= kEndpoints; ++i) {
    balance::EndpointOptions endpoint;
    endpoint.address = *HostPort::parse("10.0.0.1:" + std::to_string(i));
    options.endpoints.push_back(std::move(endpoint));
  }
  return options;
}

route::Router make_router() {
  const std::vector<route::Rule> rules{{"all", {}, 0}};
  std::vector<route::RuleProblem> problems;
  return route::Router(rules, problems);
}

const Scenario& probe() {
  static const Scenario scenario{
      "probe", {send("GET /probe HTTP/1.1\r\nHost: sim\r\n\r\n")}, {}, {{"GET", "200", "probe"}}};
  return scenario;
}

}  // namespace

House::House(const Scenario& scenario, const WorldOptions& options)
    : scenario_(scenario),
      loop_(kBufferSize),
      world_(loop_, options),
      upstream_options_(make_upstream_options()),
      upstream_(std::move(*upstream::Upstream::create(upstream_options_))),
      origin_(world_, scenario),
      pool_(std::make_unique<upstream::Pool>(
          loop_, *upstream_, nullptr, options.seed,
          [this](net::Loop&, const net::SocketAddress&, Duration timeout) { return connect(timeout); })),
      router_(make_router()),
      client_(world_, scenario) {
  client_options_.head.head.bytes = kHeadMax;
  client_options_.max_body.bytes = kBodyMax;
  plan_.action.upstream = upstream_options_.name;
  std::vector<proxy::RouteHandler::Route> routes;
  routes.push_back({"all", std::make_unique<proxy::Proxy>(plan_, forwarding_, *pool_)});
  root_.emplace(*router_, forwarding_, std::move(routes));
  context_.emplace(client_options_, loop_, *root_, this);
  serve(client_);
}

void House::serve(Client& client) {
  exchange::Client from;
  from.peer.ip = *IpAddress::parse("192.0.2.1");
  tasks_.spawn(downstream::serve_http1(SimulatedStream::open(world_, Side::kClient, client.wire()), from, *context_));
}

net::Task<Result<net::StreamPtr>> House::connect(Duration timeout) {
  const Fault fault = world_.next_operation(World::Harmless::kEver);
  if (world_.one_in(2)) co_await Turn(world_);
  if (fault == Fault::kReset) co_return fail(ErrorCode::kConnectRefused, Side::kUpstream, Retry::kSafe);
  if (fault == Fault::kEnd) co_return fail(ErrorCode::kUnreachable, Side::kUpstream, Retry::kSafe);
  if (fault == Fault::kStall) {
    co_await Sleep(world_, timeout);
    co_return fail(ErrorCode::kConnectTimeout, Side::kUpstream, Retry::kSafe);
  }
  co_return origin_.accept();
}

bool House::run(std::size_t steps_max) {
  for (std::size_t steps = 0; steps < steps_max;) {
    if (world_.step()) {
      ++steps;
    } else if (is_over()) {
      return true;
    } else if (world_.tick() > kHours) {
      return false;
    } else {
      world_.advance();
    }
  }
  return true;
}

void House::drain() {
  context_->draining = true;
  context_->idle.interrupt_all();
  pool_->close_idle();
}

void House::check_invariants() {
  check_answers();
  check_resources();
  check_kept_connections();
}

void House::check_answers() {
  const Answers answers = client_.answers();
  // Who is late with half a request line does not hear that it was to be a HEAD.
  const bool timed_out = !answers.list.empty() && answers.list.back().final.name() == "408";
  EXPECT_TRUE(answers.rest.empty() || timed_out) << "answers nothing: " << answers.rest;
  for (std::size_t i = 0; i < answers.list.size(); ++i) {
    const Message& got = answers.list[i].final;
    const Expected& expected = scenario_.expected[i];
    if (!got.whole) {
      EXPECT_EQ(i + 1, answers.list.size());
    } else if (got.name() == expected.status && may_be_cut_unseen(expected)) {
      EXPECT_TRUE(expected.body.starts_with(got.body)) << "answer " << i;
    } else if (got.name() == expected.status && expected.has_own_content()) {
      EXPECT_EQ(got.body, expected.body) << "answer " << i;
      EXPECT_EQ(got.trailers, expected.trailers) << "answer " << i;
    } else if (expected.has_own_content()) {
      EXPECT_GE(got.name(), "400") << "answer " << i;
    }
  }
  for (const auto& one : scenario_.origin) {
    const std::string& name = one.first;
    if (!name.starts_with("POST") && !name.starts_with("PATCH")) continue;
    const auto found = origin_.heads().find(name);
    const auto heads = found == origin_.heads().end() ? 0 : found->second;
    const auto asked = std::count_if(scenario_.client.begin(), scenario_.client.end(), [&](const ClientStep& step) {
      return step.text.find(name + " ") != std::string::npos;
    });
    EXPECT_LE(heads, asked) << name << " was sent twice";
  }
}

// What only the connection's end delimits: nobody can tell an orderly one in its midst. Tunnels end however they end.
bool House::may_be_cut_unseen(const Expected& expected) const {
  return expected.status == "101" ||
         (scenario_.origin_ends_content && world_.has_failed() && world_.fault() == Fault::kEnd);
}

void House::check_resources() {
  EXPECT_TRUE(is_over());
  for (const auto* state : upstream_->states()) EXPECT_EQ(state->in_flight(), 0U) << state->name();
  EXPECT_EQ(world_.streams, pool_->idle_count()) << "a connection is held by nobody";
  EXPECT_LE(finished_, scenario_.expected.size()) << "requests told of twice";
}

// What a failed exchange leaves behind must not answer the next one.
void House::check_kept_connections() {
  world_.stop_faults();
  context_->draining = false;
  for (int i = 0; i < 3; ++i) {
    Client next(world_, probe());
    serve(next);
    EXPECT_TRUE(run());
    const auto answers = next.answers().list;
    const bool answered = answers.size() == 1 && answers[0].final.whole;
    // Nobody knows of a kept connection that its endpoint has fallen silent.
    const bool timed_out = answered && answers[0].final.name() == "504" && world_.fault() == Fault::kStall;
    if (!answered || (answers[0].final.body != "probe" && !timed_out)) {
      ADD_FAILURE() << "a later request got:\n" << next.received();
    }
    tasks_.cancel_all();
  }
  pool_->close_idle();
  EXPECT_EQ(world_.streams, 0U);
}

bool House::may_try_again() const { return scenario_.may_be_tried_again() && world_.has_failed_harmlessly(); }

void House::check_answered(std::size_t count) {
  if (scenario_.is_uncertain) return;
  const auto answers = client_.answers().list;
  EXPECT_GE(answers.size(), count) << client_.received();
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const Expected& expected = scenario_.expected[i];
    EXPECT_TRUE(!expected.has_own_content() || answers[i].final.name() == expected.status) << "answer " << i;
    EXPECT_TRUE(answers[i].final.whole) << "answer " << i;
  }
}

void House::check_expected() {
  const auto answers = client_.answers().list;
  ASSERT_EQ(answers.size(), scenario_.expected.size()) << client_.received();
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const Expected& expected = scenario_.expected[i];
    EXPECT_EQ(answers[i].final.name(), expected.status) << "answer " << i;
    EXPECT_TRUE(answers[i].final.whole) << "answer " << i;
    if (expected.has_own_content()) {
      EXPECT_EQ(answers[i].final.body, expected.body) << "answer " << i;
    }
    EXPECT_EQ(answers[i].interim, expected.interim) << "answer " << i;
    EXPECT_EQ(answers[i].final.trailers, expected.trailers) << "answer " << i;
  }
}

std::string House::client_view() const {
  std::string view;
  for (const Answer& answer : client_.answers().list) {
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
