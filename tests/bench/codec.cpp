// What a warm context costs, per answer: a page of 16 KiB that comes whole and a text of 256 KiB that comes in slices, at the levels that a
// server would choose; and reading them again. The label has what they became and the memory it took.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "support/codings.h"

namespace rproxy::codec {
namespace {

constexpr std::size_t kSlice = 16'384;

void encode(benchmark::State& state, Coding coding, bool is_hinted) {
  const std::string content = test::prose(static_cast<std::size_t>(state.range(1)));
  auto options = test::encoding(coding, static_cast<int>(state.range(0)));
  if (is_hinted) options.size_hint = content.size();
  Encoders pool;
  std::string room(kSlice, '\0');
  std::size_t produced = 0;
  std::size_t memory = 0;
  for (auto _ : state) {
    const auto encoder = pool.take(options).value();
    std::string_view in(content);
    produced = 0;
    for (bool is_done = false; !is_done;) {
      const auto slice = in.substr(0, kSlice);
      const bool is_last = slice.size() == in.size();
      const auto progress = encoder->encode(slice, room, is_last ? Flush::kEnd : Flush::kNone).value();
      in.remove_prefix(progress.consumed);
      produced += progress.produced;
      is_done = is_last && progress.done;
    }
    memory = encoder.account().bytes_max();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(content.size()) * state.iterations());
  state.SetLabel(std::to_string(produced) + " bytes, " + std::to_string(memory / 1024) + " KiB");
}

void decode(benchmark::State& state, Coding coding) {
  const std::string content = test::prose(static_cast<std::size_t>(state.range(0)));
  const std::string bytes = test::encoded(test::encoding(coding), content);
  Decoders pool;
  std::string room(kSlice, '\0');
  for (auto _ : state) {
    const auto decoder = pool.take(test::decoding(coding)).value();
    std::string_view in(bytes);
    for (bool is_done = false; !is_done;) {
      const auto progress = decoder->decode(in, room, true).value();
      in.remove_prefix(progress.consumed);
      is_done = progress.done;
    }
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(content.size()) * state.iterations());
}

const std::vector<std::int64_t> kSizes{16'384, 262'144};

BENCHMARK_CAPTURE(encode, gzip, Coding::kGzip, true)->ArgsProduct({{1, 4, 5, 6}, kSizes});
BENCHMARK_CAPTURE(encode, br, Coding::kBrotli, true)->ArgsProduct({{1, 4, 5, 6}, kSizes});
BENCHMARK_CAPTURE(encode, zstd, Coding::kZstd, true)->ArgsProduct({{1, 3, 6, 9}, kSizes});
BENCHMARK_CAPTURE(encode, zstd_without_hint, Coding::kZstd, false)->ArgsProduct({{3}, kSizes});
BENCHMARK_CAPTURE(decode, gzip, Coding::kGzip)->ArgsProduct({kSizes});
BENCHMARK_CAPTURE(decode, br, Coding::kBrotli)->ArgsProduct({kSizes});
BENCHMARK_CAPTURE(decode, zstd, Coding::kZstd)->ArgsProduct({kSizes});

}  // namespace
}  // namespace rproxy::codec

BENCHMARK_MAIN();
