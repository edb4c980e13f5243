// Files that list networks: every line is a network, a comment or told of; what is found is what a look at all of them finds; and what was read, written
// out, reads as the same.
#include "limit/network_file.h"

#include <algorithm>
#include <string>

#include "fuzz.h"

namespace {

using namespace rproxy;
using namespace rproxy::limit;

constexpr std::size_t kComparedMax = 64;

bool is_v4(const IpNetwork& network) { return network.prefix >= 96 && network.address.is_v4(); }

const NetworkSet::Entry* longest(const NetworkSet& set, const IpAddress& address) {
  const NetworkSet::Entry* out = nullptr;
  for (const auto& each : set.entries()) {
    if (address.is_v4() != is_v4(each.network) || !each.network.contains(address)) continue;
    if (out == nullptr || each.network.prefix > out->network.prefix) out = &each;
  }
  return out;
}

// Its first and last address, and those beside them.
void check_edges(const NetworkSet& set, const IpNetwork& network) {
  IpAddress last = network.address;
  for (std::size_t bit = network.prefix; bit < 128; ++bit) {
    last.bytes[bit / 8] |= static_cast<std::uint8_t>(0x80U >> bit % 8);
  }
  for (IpAddress at : {network.address, last}) {
    FUZZ_CHECK(set.find(at) == longest(set, at));
    for (auto byte = at.bytes.rbegin(); byte != at.bytes.rend() && ++*byte == 0; ++byte) continue;
    FUZZ_CHECK(set.find(at) == longest(set, at));
    for (int i = 0; i < 2; ++i) {
      for (auto byte = at.bytes.rbegin(); byte != at.bytes.rend() && (*byte)-- == 0; ++byte) continue;
    }
    FUZZ_CHECK(set.find(at) == longest(set, at));
  }
}

std::string written(const NetworkSet& set) {
  std::string out;
  for (const auto& each : set.entries()) {
    out += each.network.to_string();
    out += ' ';
    out += set.text_of(each);
    out += '\n';
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = text_of(data, size);
  NetworkSetBuilder builder;
  const auto reading = read_network_file(text, 7, builder);
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  FUZZ_CHECK(reading.networks + reading.errors <= lines && reading.warnings <= reading.networks);
  FUZZ_CHECK(reading.findings.size() == std::min(reading.errors + reading.warnings, NetworkFileReading::kFindingsMax));
  for (const auto& each : reading.findings) {
    FUZZ_CHECK(each.line >= 1 && each.line <= lines && !each.message.empty() && each.message.size() < 400);
  }
  const NetworkSet set = builder.build();
  FUZZ_CHECK(set.size() + set.duplicates() == reading.networks);
  for (std::size_t i = 0; i < std::min(set.size(), kComparedMax); ++i) check_edges(set, set.entries()[i].network);

  const std::string again = written(set);
  const auto same = read_network_file(again, 7, builder);
  FUZZ_CHECK(same.networks == set.size() && same.findings.empty());
  FUZZ_CHECK(written(builder.build()) == again);
  return 0;
}
