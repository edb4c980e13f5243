// Contents to encode, and whole streams through a machine in pieces of any size.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "codec/decoders.h"
#include "codec/encoders.h"

namespace rproxy::test {

inline constexpr std::array kStreamCodings{http::Coding::kGzip, http::Coding::kDeflate, http::Coding::kBrotli,
                                           http::Coding::kZstd};

inline std::string noise(std::size_t size, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  return bytes;
}

// Words that come again, in no order: like a page, it becomes a third or less.
inline std::string prose(std::size_t size, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::vector<std::string> words(700);
  for (std::string& word : words) {
    for (auto letters = 2 + random() % 9; letters > 0; --letters) word += static_cast<char>('a' + random() % 26);
  }
  std::string text;
  while (text.size() < size)
    text += words[std::min(random() % 700, random() % 700)] + (random() % 9 == 0 ? ".\n" : " ");
  text.resize(size);
  return text;
}

// How many bytes the next piece has; at least one.
using Pieces = std::function<std::size_t()>;

inline Pieces pieces_of(std::size_t size) {
  return [size] { return size; };
}
inline Pieces random_pieces(std::mt19937& random, std::size_t most) {
  return [&random, most] { return 1 + random() % (random() % 4 == 0 ? most : std::min<std::size_t>(most, 20)); };
}

// Adds to `out`; gives back whether it went well, with what is wrong otherwise.
inline Result<void> encode_into(codec::Encoder& encoder, std::string_view in, codec::Flush flush, std::string& out,
                                const Pieces& in_pieces = pieces_of(1U << 20U),
                                const Pieces& out_pieces = pieces_of(1U << 14U)) {
  std::string room;
  bool is_done = false;
  while (!is_done) {
    const auto piece = in.substr(0, in_pieces());
    const bool is_last = piece.size() == in.size();
    bool is_through = false;
    for (auto rest = piece; !is_through;) {
      room.assign(out_pieces(), '\0');
      const auto progress = encoder.encode(rest, room, is_last ? flush : codec::Flush::kNone);
      if (!progress) return fail(progress.error());
      if (progress->consumed > rest.size() || progress->produced > room.size()) throw std::logic_error("out of bounds");
      out.append(room, 0, progress->produced);
      rest.remove_prefix(progress->consumed);
      is_through = progress->done;
      if (is_through && !rest.empty()) throw std::logic_error("done, with input left");
    }
    in.remove_prefix(piece.size());
    is_done = is_last;
  }
  return {};
}

inline std::string encoded(codec::Encoders& pool, const codec::EncoderOptions& options, std::string_view in,
                           const Pieces& in_pieces = pieces_of(1U << 20U),
                           const Pieces& out_pieces = pieces_of(1U << 14U)) {
  auto lease = pool.take(options);
  if (!lease) throw std::runtime_error(describe(lease.error()));
  std::string out;
  const auto result = encode_into(**lease, in, codec::Flush::kEnd, out, in_pieces, out_pieces);
  if (!result) throw std::runtime_error(describe(result.error()));
  return out;
}

inline std::string encoded(const codec::EncoderOptions& options, std::string_view in) {
  codec::Encoders pool;
  return encoded(pool, options, in);
}

// What came out before it was complete, or the fault was found.
inline Result<void> decode_into(codec::Decoder& decoder, std::string_view in, bool is_last, std::string& out,
                                const Pieces& in_pieces = pieces_of(1U << 20U),
                                const Pieces& out_pieces = pieces_of(1U << 14U)) {
  std::string room;
  while (true) {
    const auto piece = in.substr(0, in_pieces());
    const bool is_at_end = is_last && piece.size() == in.size();
    room.assign(out_pieces(), '\0');
    const auto progress = decoder.decode(piece, room, is_at_end);
    if (!progress) return fail(progress.error());
    if (progress->consumed > piece.size() || progress->produced > room.size()) throw std::logic_error("out of bounds");
    out.append(room, 0, progress->produced);
    in.remove_prefix(progress->consumed);
    if (progress->done) return {};
    if (in.empty() && !is_last && progress->produced < room.size()) return {};
    if (progress->consumed == 0 && progress->produced == 0) throw std::logic_error("no progress");
  }
}

inline Result<std::string> decoded(codec::Decoders& pool, const codec::DecoderOptions& options, std::string_view in,
                                   const Pieces& in_pieces = pieces_of(1U << 20U),
                                   const Pieces& out_pieces = pieces_of(1U << 14U)) {
  auto lease = pool.take(options);
  if (!lease) return fail(lease.error());
  std::string out;
  if (auto result = decode_into(**lease, in, true, out, in_pieces, out_pieces); !result) return fail(result.error());
  return out;
}

inline Result<std::string> decoded(const codec::DecoderOptions& options, std::string_view in) {
  codec::Decoders pool;
  return decoded(pool, options, in);
}

inline codec::EncoderOptions encoding(http::Coding coding, std::optional<int> level = {}) {
  codec::EncoderOptions options;
  options.coding = coding;
  options.level = level;
  return options;
}

// Without a limit on what it expands to.
inline codec::DecoderOptions decoding(http::Coding coding) {
  codec::DecoderOptions options;
  options.coding = coding;
  options.expansion.ratio_max = 0;
  return options;
}

}  // namespace rproxy::test
