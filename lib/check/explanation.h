// What serve would do with one request, and why: as data, as text of 80 columns, as JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostic.h"

namespace rproxy::check {

struct Explanation {
  struct Named {
    std::string name;
    std::string value;
  };
  struct RunnerUp {
    std::string route;
    config::Location at;
    std::string reason;  // "matches, too, but its path is a shorter prefix", "path: /api/* is asked"
  };
  struct Server {
    std::string address;
    std::string state;  // "weight 2, backup"; of a running proxy also what it knows of it
  };

  std::string request;   // "GET https://shop.com/images/a.png"
  std::string client;    // the address that rules and logs go by
  std::string listener;  // that the port leads to; empty: none
  std::string path;      // as it is matched

  std::optional<std::size_t>
      route;  // its place in the configuration; nothing: none, or the request does not get so far
  std::string route_name;
  config::Location route_at;
  std::vector<Named> conditions;  // of that route, all of which hold: {"path", "/images/*"}
  std::vector<RunnerUp> runners_up;

  std::uint16_t status = 0;  // of an answer of the proxy's own; 0: a server answers
  std::string reason;        // for that answer
  std::string location;      // of a redirect

  std::vector<Named> steps;  // what happens on the way, in order: {"rewrite", "/images/a.png becomes /a.png"}
  std::string upstream;
  std::string rewritten;  // path and query as the server gets them
  std::string host;       // Host as the server gets it
  std::vector<Server> servers;
  std::vector<Named> sent;            // header fields of the request that the server gets, but for Host
  std::vector<Named> added;           // header fields of the request that the server gets and the client did not send
  std::vector<Named> removed;         // that the client sent and the server does not get
  std::vector<std::string> withheld;  // what of the answer's header is not passed on
  std::vector<std::string> policies() const;  // the names of the steps
};

std::string render_text(const Explanation& explanation);
std::string render_json(const Explanation& explanation);

}  // namespace rproxy::check
