// A request as somebody writes it, the first line, and its headers, the others: refused with a reason, or explained.
#include "check/judge.h"
#include "config/load.h"
#include "fuzz.h"

namespace {

constexpr const char* kConfig =
    "[listen]\nhttp = \":80\"\n[forwarding]\ntrusted_proxies = [\"192.0.2.0/24\"]\n[upstreams.a]\nservers = "
    "[\"10.0.0.1:80\", "
    "\"10.0.0.2:80\"]\nbalance = { policy = \"hash\", key = \"cookie:c\" }\n[[routes]]\nmatch = "
    "\"a.com/x/*\"\nupstream = \"a\"\n"
    "rewrite = { regex = '/x/(.*)', replacement = '/\\1' }\n[[routes]]\nmatch = { path_regex = '/[a-z]+', query = { q "
    "= { regex = "
    "'[0-9]+' } } }\nredirect = \"https://{host}{uri}\"\n[[routes]]\nmatch = { header = { X = { prefix = \"a\" } } "
    "}\nsplit = [{ "
    "upstream = \"a\" }]\nsticky = \"cookie\"\n";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rproxy;
  static const auto loaded =
      config::load_text("fuzz.toml", kConfig, [](std::string_view) { return std::optional<std::string>(); });
  FUZZ_CHECK(loaded.ok());
  static const check::Judge judge(loaded.config);
  check::Question question;
  std::string_view text = text_of(data, size);
  for (bool is_first = true; !text.empty(); is_first = false) {
    const auto end = std::min(text.find('\n'), text.size());
    if (is_first) {
      question.request = text.substr(0, end);
    } else {
      question.headers.emplace_back(text.substr(0, end));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  const auto asked = check::AskedRequest::make(question, loaded.config);
  if (!asked) {
    FUZZ_CHECK(!asked.error().context.empty());
    return 0;
  }
  const auto explanation = judge.explainer().explain(**asked);
  FUZZ_CHECK(explanation.status != 0 || !explanation.upstream.empty());
  FUZZ_CHECK(!explanation.route || *explanation.route < loaded.config.routes.size());
  for (const char c : check::render_text(explanation)) {
    const auto byte = static_cast<unsigned char>(c);
    FUZZ_CHECK((byte >= 0x20 && byte != 0x7f) || byte == '\n');
  }
  (void)check::render_json(explanation);
  return 0;
}
