#include <fmt/format.h>

#include "config/build.h"
#include "config/load.h"
#include "config/schema.h"
#include "config/text.h"
#include "http/characters.h"

namespace rproxy::config {
namespace {

using T = RouteTest;
using E = Expectation;

template <auto Member>
constexpr auto expected(std::string_view name, std::string_view meaning) {
  return special<E>(name, "string", meaning, [](Problems& problems, const Node& node, E& out) {
    decode_value(problems, node, (out.*Member).emplace());
  });
}

constexpr Bounds kStatuses{0, 599};

void decode_status(Problems& problems, const Node& node, E& out) {
  const auto status = decode_integer(problems, node, kStatuses.min, kStatuses.max);
  if (status) out.status = static_cast<std::uint16_t>(*status);
}

void decode_headers(Problems& problems, const Node& node, E& out) {
  if (!expect(problems, node, Node::Kind::kTable, "a table of headers", "headers = { X-Real-IP = false }")) return;
  auto& headers = out.headers.emplace();
  for (const Member& member : node.members) {
    if (member.value.is(Node::Kind::kBool) && !member.value.flag) {
      headers.emplace_back(member.key, std::nullopt);
    } else if (expect(problems, member.value, Node::Kind::kString, "a string, or false for none,")) {
      headers.emplace_back(member.key, member.value.text);
    }
  }
}

constexpr Key<E> kExpectation[] = {
    expected<&E::route>("route", "the name of the route; \"\": none"),
    expected<&E::upstream>("upstream", "the name of the upstream; \"\": no server is asked"),
    within<E>(kStatuses,
              special<E>("status", "integer", "of the proxy's own answer; 0: a server answers", decode_status)),
    expected<&E::location>("location", "where a redirect leads"),
    expected<&E::path>("path", "path and query as the server gets them"),
    expected<&E::host>("host", "Host as the server gets it"),
    special<E>("headers", "table of strings or false",
               "what the server gets: { NAME = \"value\" }, false for one that it does not get", decode_headers),
    special<E>("policies", "strings", "what happens on the way, in order, as --explain names it",
               [](Problems& p, const Node& n, E& o) { decode_value(p, n, o.policies.emplace()); }),
};

constexpr Key<T> kTest[] = {
    key<&T::name>("name", "for reports; default: the request"),
    key<&T::request>("request", "\"GET https://shop.com/images/a.png\"; the method and the scheme may be left out"),
    key<&T::headers>("headers", "sent with it: [\"Accept: image/png\"]"),
    key<&T::from>("from", "the address of who asks; default: one of documentation's"),
    special<T>("expect", "table", "what is to become of it: at least one of its keys",
               [](Problems& p, const Node& n, T& o) { decode_table<E>(p, n, "expect", kExpectation, o.expect); }),
};

}  // namespace

Keys<RouteTest> test_keys() { return kTest; }
Keys<Expectation> expectation_keys() { return kExpectation; }

void build_tests(const Node& tree, std::vector<RouteTest>& tests, Problems& problems) {
  const Node* list = tree.find("tests");
  if (list == nullptr ||
      !expect(problems, *list, Node::Kind::kArray, "[[tests]], an array of tables,", "write [[tests]]")) {
    return;
  }
  for (const Node& node : list->items) {
    RouteTest test;
    test.at = node.at;
    decode_table<RouteTest>(problems, node, "[[tests]]", test_keys(), test);
    if (!node.is(Node::Kind::kTable)) continue;
    if (lacks(node, "request", names_of(test_keys())))
      problems.error("RP1005", node.at, "a test needs a request", "request = \"GET https://shop.com/\"");
    tests.push_back(std::move(test));
  }
}

}  // namespace rproxy::config
