#include "server/survey.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "config/diagnostic.h"
#include "config/server_file.h"
#include "config/text.h"
#include "net/sleep.h"
#include "net/task_group.h"

namespace rproxy::server {
namespace {

using upstream::ProbeResult;

// For names that nobody answers for.
constexpr Duration kLookUpMax{10'000};

bool is_fixed(const upstream::Options& upstream, const upstream::DiscoveredEndpoint& found) {
  return std::ranges::any_of(upstream.endpoints, [&](const auto& e) { return e.address == found.options.address; });
}

void fail_row(SurveyRow& row, ProbeResult::Failure failure, std::string reason) {
  row.result.failure = failure;
  row.result.reason = std::move(reason);
}

Result<void> check_known(std::string_view kind, const std::vector<std::string>& wanted,
                         const std::vector<std::string>& known) {
  for (const std::string& name : wanted) {
    if (std::ranges::find(known, name) != known.end()) continue;
    const std::string near = config::nearest(name, known);
    return fail(ErrorCode::kConfig, Side::kLocal, Retry::kNever,
                fmt::format("there is no {} {}{}", kind, config::printable(name),
                            near.empty() ? "" : fmt::format("; did you mean {}?", near)));
  }
  return {};
}

struct Round {
  net::Loop& loop;
  bool (*is_stopped)();
  net::TaskGroup tasks;

  // Until all that `begin` has spawned has ended.
  template <typename Begin>
  void run(Begin begin) {
    tasks.on_end({[](void* self) { static_cast<Round*>(self)->look(); }, this});
    loop.on_tick([](void* self) { static_cast<Round*>(self)->look(); }, this);
    begin();
    if (tasks.size() > 0) loop.run();
    loop.on_tick(nullptr, nullptr);
  }
  void look() {
    if (tasks.size() == 0 || is_stopped()) loop.stop();
  }
};

}  // namespace

bool can_serve(const std::vector<SurveyRow>& rows, const std::string& upstream) {
  return std::ranges::any_of(
      rows, [&](const SurveyRow& row) { return row.upstream == upstream && row.weight > 0 && row.result.is_ok(); });
}

Survey::Survey(const config::Config& config, Options options)
    : config_(config), options_(std::move(options)), resolver_(loop_, config.resolver) {}

bool Survey::wants(const std::vector<std::string>& wanted, const std::string& name) const {
  return wanted.empty() || std::ranges::find(wanted, name) != wanted.end();
}

bool Survey::wants_endpoint(const std::string& name) {
  seen_.push_back(name);
  return wants(options_.endpoints, name);
}

Result<std::vector<std::string>> Survey::names() const {
  std::vector<std::string> names;
  for (const auto& upstream : config_.upstreams) names.push_back(upstream.name);
  if (auto known = check_known("upstream", options_.upstreams, names); !known) return fail(std::move(known.error()));
  std::erase_if(names, [this](const std::string& name) { return !wants(options_.upstreams, name); });
  return names;
}

Result<void> Survey::check_endpoints() const { return check_known("endpoint", options_.endpoints, seen_); }

std::vector<SurveyRow> Survey::run() {
  seen_.clear();
  std::vector<std::vector<SurveyRow>> rows(config_.upstreams.size());
  {
    Round round{loop_, options_.is_stopped, {}};
    round.run([&] {
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto& upstream = config_.upstreams[i];
        if (wants(options_.upstreams, upstream.name)) round.tasks.spawn(look_at(upstream, rows[i]));
      }
    });
  }
  std::vector<SurveyRow> all;
  for (auto& part : rows) std::ranges::move(part, std::back_inserter(all));
  return all;
}

std::vector<Survey::Found> Survey::find_endpoints(std::vector<SurveyRow>& unresolved) {
  seen_.clear();
  const std::size_t count = config_.upstreams.size();
  std::vector<std::vector<SurveyRow>> rows(count);
  std::vector<std::vector<upstream::DiscoveredEndpoint>> found(count);
  {
    Round round{loop_, options_.is_stopped, {}};
    round.run([&] {
      for (std::size_t i = 0; i < count; ++i) {
        const auto& upstream = config_.upstreams[i];
        if (wants(options_.upstreams, upstream.name)) round.tasks.spawn(find(upstream, rows[i], found[i]));
      }
    });
  }
  std::vector<Found> all;
  for (std::size_t i = 0; i < count; ++i) {
    rows[i].resize(rows[i].size() - found[i].size());
    std::ranges::move(rows[i], std::back_inserter(unresolved));
    for (auto& each : found[i]) all.push_back({&config_.upstreams[i], std::move(each)});
  }
  return all;
}

net::Task<void> Survey::look_at(const upstream::Options& upstream, std::vector<SurveyRow>& rows) {
  std::vector<upstream::DiscoveredEndpoint> found;
  co_await find(upstream, rows, found);
  const std::size_t unresolved = rows.size() - found.size();
  std::vector<net::Child<void>> probes;
  for (std::size_t i = 0; i < found.size(); ++i) probes.emplace_back(probe(upstream, found[i], rows[unresolved + i]));
  for (auto& each : probes) {
    co_await each.wait();
    each.take();
  }
}

// Rows for what can't be resolved, and then one for each endpoint.
net::Task<void> Survey::find(const upstream::Options& upstream, std::vector<SurveyRow>& rows,
                             std::vector<upstream::DiscoveredEndpoint>& found) {
  const TimePoint started = Clock::now();
  upstream::Discovery::Setting setting;
  setting.parse_file = config::parse_server_file;
  setting.logs_changes = false;
  // Whoever waits here looks no more often than the wheel turns.
  TimePoint answered = started;
  setting.on_change = [&answered](const auto&) { answered = Clock::now(); };
  upstream::Discovery discovery(loop_, resolver_, upstream, std::move(setting));
  discovery.start();
  while (!discovery.is_settled() && Clock::now() - started < kLookUpMax) co_await net::Sleep(loop_, Duration{1});
  const auto took =
      std::chrono::duration_cast<std::chrono::microseconds>((answered != started ? answered : Clock::now()) - started);
  for (const auto& source : discovery.sources()) {
    if (!source.list.empty() || !wants_endpoint(source.label)) continue;
    SurveyRow& row = rows.emplace_back();
    row.upstream = upstream.name;
    row.endpoint = source.label;
    row.result.resolve = row.result.total = took;
    fail_row(row, ProbeResult::Failure::kResolve, source.problem.empty() ? "nothing was found" : source.problem);
  }
  for (auto& each : discovery.list()) {
    const bool is_named = each.called && wants_endpoint(each.called->to_string());
    if (!wants_endpoint(each.options.address.to_string()) && !is_named) continue;
    SurveyRow& row = rows.emplace_back();
    row.upstream = upstream.name;
    row.endpoint = each.options.address.to_string();
    row.weight = each.options.weight;
    if (!is_fixed(upstream, each)) row.result.resolve = took;
    // As long as nothing is known.
    fail_row(row, ProbeResult::Failure::kLocal, "interrupted before there was an answer");
    found.push_back(std::move(each));
  }
}

net::Task<void> Survey::probe(const upstream::Options& upstream, upstream::DiscoveredEndpoint found, SurveyRow& row) {
  const auto slot = co_await slots_.take();
  upstream::HealthOptions health = upstream.health.value_or(upstream::plain_check(upstream));
  if (options_.timeout.count() != 0) health.timeout = options_.timeout;
  ProbeResult result;
  const x509::TrustStore* trusted = trusted_by(upstream, result);
  if (result.is_ok()) {
    const upstream::ProbeTarget target = upstream::probe_target(found.options.address, found.address, found.tls_name);
    auto prober = upstream::Prober::create(loop_, upstream, std::move(health), target, trusted);
    if (prober) {
      result = co_await (*prober)->probe();
    } else {
      result.failure = ProbeResult::Failure::kLocal;
      result.reason = describe(prober.error());
    }
  }
  result.resolve = row.result.resolve;
  row.result = std::move(result);
}

Result<std::string> Survey::ask_proxy(const std::string& socket, const std::string& path) {
  // Ten thousand endpoints in all they have to say.
  constexpr std::size_t kAnswerMax = std::size_t{64} * 1024 * 1024;
  constexpr Duration kTimeout{5'000};
  upstream::HealthOptions question;
  question.path = path;
  question.host = "admin";
  question.timeout = kTimeout;
  const HostPort address{HostPort::Kind::kUnix, socket, {}, 0};
  if (!net::to_socket_address(address))
    return fail(ErrorCode::kConfig, Side::kLocal, Retry::kNever, "too long a path for a socket: " + socket);
  auto prober = upstream::Prober::create(loop_, {}, std::move(question), {address, "admin", ""}, nullptr);
  if (!prober) return fail(std::move(prober.error()));
  (*prober)->keep_content(kAnswerMax);
  upstream::ProbeResult result;
  Round round{loop_, options_.is_stopped, {}};
  const auto ask = [](upstream::Prober& with, upstream::ProbeResult& out) -> net::Task<void> {
    out = co_await with.probe();
  };
  round.run([&] { round.tasks.spawn(ask(**prober, result)); });
  if (!result.is_ok()) return fail(ErrorCode::kBadResponse, Side::kUpstream, Retry::kNever, result.reason);
  return std::move(result.content);
}

const x509::TrustStore* Survey::trusted_by(const upstream::Options& upstream, upstream::ProbeResult& result) {
  const net::TlsClientOptions& tls = upstream.tls;
  const bool is_needed =
      (tls.enabled || (upstream.health && upstream.health->type == upstream::HealthType::kTls)) && tls.verify;
  if (!is_needed) return nullptr;
  auto known = trusted_.find(tls.ca_file);
  if (known == trusted_.end()) known = trusted_.emplace(tls.ca_file, net::TlsClientContext::read_trusted(tls)).first;
  if (known->second) return &*known->second;
  result.failure = ProbeResult::Failure::kLocal;
  result.reason = describe(known->second.error());
  return nullptr;
}

}  // namespace rproxy::server
