// Whatever a client says, what is chosen was on offer and was not refused; and saying it in two lines or with more space is saying the same.
#include <array>
#include <string>

#include "fuzz.h"
#include "http/characters.h"
#include "http/content_coding.h"
#include "http/media_types.h"

namespace {

using namespace rproxy::http;

constexpr std::array kOffer{Coding::kDcz, Coding::kZstd, Coding::kBrotli, Coding::kGzip};

Fields line(FieldId id, std::string_view value) {
  Fields fields;
  fields.add(id, value);
  return fields;
}

void check_choice(const AcceptedCodings& accepted) {
  const auto choice = choose_coding(accepted, kOffer);
  const int identity = accepted.quality(Coding::kIdentity);
  int best = 0;
  for (const Coding coding : kOffer) {
    FUZZ_CHECK(accepted.quality(coding) >= 0 && accepted.quality(coding) <= 1000);
    best = std::max(best, accepted.quality(coding));
  }
  FUZZ_CHECK(choice.is_acceptable == (best > 0 || identity > 0));
  if (choice.coding) {
    FUZZ_CHECK(accepted.quality(*choice.coding) == best && best > 0 && best >= identity);
  } else {
    FUZZ_CHECK(best == 0 || best < identity);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = text_of(data, size);
  const auto accepted = AcceptedCodings::of(line(FieldId::kAcceptEncoding, text));
  check_choice(accepted);

  std::string spaced;
  Fields lines;
  for_each_element(text, [&](std::string_view element) {
    spaced.append(", \t").append(element).append(" ,");
    lines.add(FieldId::kAcceptEncoding, element);
    return true;
  });
  for (const auto& same : {AcceptedCodings::of(line(FieldId::kAcceptEncoding, spaced)), AcceptedCodings::of(lines)}) {
    for (const Coding coding : kOffer) FUZZ_CHECK(same.quality(coding) == accepted.quality(coding));
    FUZZ_CHECK(same.weighs_identity() == accepted.weighs_identity());
  }

  const auto applied = AppliedCodings::of(line(FieldId::kContentEncoding, text));
  FUZZ_CHECK(applied.list().size() <= AppliedCodings::kMax);
  FUZZ_CHECK(applied.is_understood() || applied.list().empty());
  for (const Coding coding : applied.list()) FUZZ_CHECK(coding != Coding::kIdentity);

  static const auto types = MediaTypes::compressible();
  const std::string pattern(text);
  if (types.match(text)) FUZZ_CHECK(text.find('/') != std::string_view::npos);
  const MediaTypes own({pattern});
  FUZZ_CHECK(own.patterns().empty() != is_media_pattern(text));
  if (is_media_pattern(text) && text.find('*') == std::string_view::npos) FUZZ_CHECK(own.match(text));
  return 0;
}
