#include "proxy/cache_scope.h"

#include <fmt/format.h>

#include "cache/digest.h"

namespace rproxy::proxy {
namespace {

void append_word(std::string& out, std::string_view name) {
  for (const char c : name) {
    if (c > ' ' && c < '\x7f' && c != '%' && c != '|' && c != '+') {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
}

}  // namespace

std::string cache_scope(const ForwardAction& action) {
  std::string scope;
  for (const std::string& upstream : action.targets()) {
    if (!scope.empty()) scope += '|';
    append_word(scope, upstream);
  }
  const route::RewriteOptions& rewrite = action.rewrite;
  std::string change;
  for (const std::string* part : {&rewrite.strip_prefix, &rewrite.add_prefix, &rewrite.replace_path, &rewrite.regex,
                                  &rewrite.replacement, &action.host}) {
    change += *part + '\n';
  }
  if (change.find_first_not_of('\n') != std::string::npos) scope += '+' + cache::Digest::of(change).hex().substr(0, 8);
  return scope;
}

}  // namespace rproxy::proxy
