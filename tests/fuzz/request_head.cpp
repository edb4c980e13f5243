// Any split of the bytes gives the same verdict, and what is accepted and written out again is accepted and means the same.
#include <string>

#include "fuzz.h"
#include "http/head_parser.h"
#include "http/serializer.h"

namespace {

using namespace rproxy;

struct Verdict {
  Arena arena;
  http::RequestHead head;
  bool done = false;
  bool failed = false;
  ErrorCode code = ErrorCode::kInternal;
  std::size_t consumed = 0;

  void parse(std::string_view bytes, std::size_t step) {
    static const http::HeadLimits limits;
    static const http::PathPolicy paths;
    http::RequestHeadParser parser(head, arena, limits, paths);
    for (std::size_t end = step; !done && !failed; end += step) {
      const auto progress = parser.feed(bytes.substr(0, end));
      failed = !progress;
      if (failed) code = progress.error().code;
      done = progress && *progress == http::ParseProgress::kDone;
      if (end >= bytes.size()) break;
    }
    consumed = parser.consumed();
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = text_of(data, size);
  Verdict whole;
  whole.parse(bytes, size + 1);
  Verdict dripped;
  dripped.parse(bytes, 1);
  FUZZ_CHECK(whole.done == dripped.done && whole.failed == dripped.failed);
  if (whole.failed) FUZZ_CHECK(whole.code == dripped.code);
  if (!whole.done) return 0;
  FUZZ_CHECK(whole.consumed == dripped.consumed && whole.head.path == dripped.head.path);
  FUZZ_CHECK(whole.head.path == "*" || whole.head.path.starts_with('/'));

  http::WriteOptions options;
  options.body = whole.head.body;
  std::string out(http::head_size_max(whole.head, options), '\0');
  const char* end = http::write_head(out.data(), whole.head, options);
  FUZZ_CHECK(static_cast<std::size_t>(end - out.data()) <= out.size());
  out.resize(static_cast<std::size_t>(end - out.data()));
  if (whole.head.authority.empty()) return 0;  // HTTP/1.0 without a Host: the proxy puts one in
  Verdict again;
  again.parse(out, out.size() + 1);
  FUZZ_CHECK(again.done && again.head.path == whole.head.path && again.head.query == whole.head.query);
  const auto has_content = [](const http::RequestHead& head) {
    return head.body.kind != http::BodyLength::Kind::kNone &&
           (head.body.kind != http::BodyLength::Kind::kFixed || head.body.bytes > 0);
  };
  FUZZ_CHECK(again.head.method == whole.head.method && again.head.body.bytes == whole.head.body.bytes);
  FUZZ_CHECK(has_content(again.head) == has_content(whole.head));
  return 0;
}
