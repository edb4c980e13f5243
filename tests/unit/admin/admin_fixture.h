// A proxy that is not there, and its admin endpoint on a connection.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "admin/api.h"
#include "admin/gate.h"
#include "base/log.h"
#include "downstream/http1_server.h"
#include "support/test_loop.h"

namespace rproxy::admin {

struct Reply {
  int status = 0;
  std::string head;
  std::string text;
  nlohmann::json json() const { return nlohmann::json::parse(text, nullptr, false); }
};

struct AdminFixture {
  AdminFixture() {
    log::set_level(LogLevel::kOff);
    auto config = std::make_shared<config::Config>();
    for (const char* name : {"shop", "img"}) {
      config->routes.emplace_back().rule.name = name;
    }
    config->listeners.emplace_back().name = ":80";
    subject.serving.upstreams = {make_upstream("shop", {"10.0.0.1:8001", "10.0.0.2:8001"}),
                                 make_upstream("a b/ü", {"unix:/run/app.sock"})};
    subject.serving.catalogue =
        std::make_shared<metrics::Catalogue>(std::vector<std::string>{"shop", "img"}, std::vector<std::string>{":80"});
    subject.serving.config = config;
    subject.serving.effective = "[server]\n";
    subject.version = "1.2.3";
    subject.is_draining = [this] { return draining; };
    subject.open_connections = [] { return std::uint64_t{7}; };
    subject.max_connections = [] { return std::uint64_t{100}; };
    subject.reload = [this](auto done) {
      waiting = std::move(done);
      if (outcome) waiting(*outcome);
    };
  }
  ~AdminFixture() { log::set_level(level_before); }

  static std::shared_ptr<upstream::Upstream> make_upstream(const char* name,
                                                           std::initializer_list<const char*> servers) {
    upstream::Options options;
    options.name = name;
    for (const char* server : servers) options.endpoints.push_back({HostPort::parse(server).value()});
    return std::move(upstream::Upstream::create(std::move(options))).value();
  }

  balance::EndpointState& state(std::size_t upstream, std::size_t endpoint) {
    return *subject.serving.upstreams[upstream]->endpoints()->states()[endpoint];
  }
  std::size_t size(std::size_t upstream) { return subject.serving.upstreams[upstream]->endpoints()->states().size(); }

  Reply ask(std::string_view method, std::string_view path, std::string_view content = {},
            const std::string& fields = {}, bool by_gate = false) {
    std::string text = std::string(method) + " " + std::string(path) + " HTTP/1.1\r\nHost: admin\r\n" + fields;
    if (!content.empty()) text += "Content-Length: " + std::to_string(content.size()) + "\r\n";
    return talk(text + "\r\n" + std::string(content), by_gate);
  }

  Reply talk(const std::string& text, bool by_gate = false) {
    auto [client, server] = loop.connected();
    exchange::Client who;
    downstream::Context context{options, loop, by_gate ? static_cast<exchange::Handler&>(gate) : api, nullptr};
    std::string answer;
    loop.run(converse(std::move(client), text, answer), downstream::serve_http1(std::move(server), who, context));
    Reply reply;
    const auto end = answer.find("\r\n\r\n");
    if (end == std::string::npos) return reply;
    reply.head = answer.substr(0, end + 2);
    reply.text = answer.substr(end + 4);
    reply.status = std::stoi(reply.head.substr(9, 3));
    return reply;
  }
  static net::Task<void> converse(net::StreamPtr client, std::string_view text, std::string& answer) {
    (void)co_await client->write(text);
    client->shutdown_write();
    for (;;) {
      const auto filled = co_await client->fill();
      answer += client->input();
      client->consume(client->input().size());
      if (!filled || *filled == 0) co_return;
    }
  }

  LogLevel level_before = log::level();
  test::TestLoop loop;
  downstream::Options options;
  Subject subject;
  Api api{subject};
  Gate gate{"0123456789abcdef", api};
  bool draining = false;
  std::optional<ReloadOutcome> outcome = ReloadOutcome{true, "nothing"};
  std::function<void(ReloadOutcome)> waiting;
};

}  // namespace rproxy::admin
