#include "http/negotiation.h"

#include <array>
#include <string_view>

#include "http/characters.h"

namespace rproxy::http {
namespace {

struct Preference {
  int quality = -1;      // thousandths
  int specificity = -1;  // 2: the type itself, 1: "text/*", 0: "*/*"
  int position = 0;
};

// "0.8" as 800; 1000 for what is malformed (RFC 9110 12.4.2).
int lenient_quality(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return 1000;
  int value = (text[0] - '0') * 1000;
  int place = 100;
  for (const char c : text.substr(1)) {
    if (c == '.') continue;
    if (c < '0' || c > '9') return 1000;
    value += (c - '0') * place;
    place /= 10;
  }
  return value > 1000 ? 1000 : value;
}

int quality_of(std::string_view range) {
  for (auto at = range.find(';'); at != std::string_view::npos; at = range.find(';', at + 1)) {
    const auto parameter = trim(range.substr(at + 1, range.find(';', at + 1) - at - 1));
    if (parameter.size() >= 2 && to_lower(parameter[0]) == 'q' && parameter[1] == '=') {
      return lenient_quality(parameter.substr(2));
    }
  }
  return 1000;
}

int specificity_of(std::string_view range, std::string_view type) {
  if (range == "*/*") return 0;
  if (equals_ignoring_case(range, type)) return 2;
  const auto slash = type.find('/') + 1;
  const bool covers = range.size() == slash + 1 && range.back() == '*' &&
                      equals_ignoring_case(range.substr(0, slash), type.substr(0, slash));
  return covers ? 1 : -1;
}

bool is_better(const Preference& a, const Preference& b) {
  if (a.quality != b.quality) return a.quality > b.quality;
  if (a.specificity != b.specificity) return a.specificity > b.specificity;
  return a.position < b.position;
}

}  // namespace

PageType preferred_page(const Fields& fields) {
  // Plain text first: it wins where "*/*" is all that is said.
  static constexpr std::array<PageType, 3> kTypes{PageType::kPlain, PageType::kHtml, PageType::kJson};
  static constexpr std::array<std::string_view, 3> kNames{"text/plain", "text/html", "application/json"};
  std::array<Preference, 3> found;
  int position = 0;
  for (const Field& field : fields) {
    if (field.id != FieldId::kAccept) continue;
    for_each_element(field.value, [&](std::string_view element) {
      const auto range = trim(element.substr(0, element.find(';')));
      for (std::size_t i = 0; i < kTypes.size(); ++i) {
        // RFC 9110 12.5.1: the most specific range decides for a type.
        const int specificity = specificity_of(range, kNames[i]);
        if (specificity > found[i].specificity) found[i] = {quality_of(element), specificity, position};
      }
      ++position;
      return true;
    });
  }
  std::size_t best = 0;
  for (std::size_t i = 1; i < kTypes.size(); ++i) {
    if (found[i].quality > 0 && is_better(found[i], found[best])) best = i;
  }
  return kTypes[best];
}

}  // namespace rproxy::http
