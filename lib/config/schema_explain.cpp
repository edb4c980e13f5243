#include <fmt/format.h>

#include "config/schema.h"
#include "http/characters.h"
#include "http/fields.h"

namespace rproxy::config {
namespace {

void decode_header(Problems& problems, const Node& node, ExplainHeader& out) {
  if (!expect(problems, node, Node::Kind::kString)) return;
  out.header = node.text;
  const bool is_token = http::is_token(node.text);
  // One that means something already would be taken away from what it means.
  if (is_token && http::field_id(node.text) == http::FieldId::kOther) return;
  problems.error("RP1004", node.at, fmt::format("not a header of its own: {}", shown(node)),
                 "such as \"Rproxy-Explain\"");
}

constexpr Key<ExplainHeader> kExplain[] = {
    key<&ExplainHeader::allow>("allow", "peers whose requests with the header are explained, and not answered"),
    {"header", "string", "by which they ask", decode_header,
     [](const ExplainHeader& from) { return render_value(from.header); }},
};

}  // namespace

Keys<ExplainHeader> explain_keys() { return kExplain; }

}  // namespace rproxy::config
