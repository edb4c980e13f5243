#include "sim/scenario.h"

namespace rproxy::sim {
namespace {

std::string get(const std::string& target, const std::string& more = {}) {
  return "GET " + target + " HTTP/1.1\r\nHost: sim\r\n" + more + "\r\n";
}

std::string answer(const std::string& body, const std::string& more = {}) {
  return "HTTP/1.1 200 OK\r\nDate: now\r\n" + more + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

std::vector<Scenario> make_scenarios() {
  std::vector<Scenario> all;
  all.push_back({"pipelined_gets",
                 {send(get("/a") + get("/b") + get("/c"))},
                 {{"GET /a", {{}, answer("first")}}, {"GET /b", {{}, answer("second")}}, {"GET /c", {{}, answer("")}}},
                 {{"GET", "200", "first"}, {"GET", "200", "second"}, {"GET", "200", ""}}});
  for (auto& scenario : all) scenario.origin["GET /probe"] = {{}, answer("probe")};
  return all;
}

}  // namespace

const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> all = make_scenarios();
  return all;
}

}  // namespace rproxy::sim
