#include "exchange/http1_framing.h"

namespace rproxy::exchange {
namespace {

iovec piece(std::string_view bytes) { return {const_cast<char*>(bytes.data()), bytes.size()}; }

std::string_view last_chunk(const http::Fields* trailers, Arena& arena) {
  std::string_view text = "0\r\n\r\n";
  if (trailers == nullptr || trailers->empty()) return text;
  text = "0\r\n";
  for (const auto& field : *trailers) text = arena.concat({text, field.name, ": ", field.value, "\r\n"});
  return arena.concat({text, "\r\n"});
}

}  // namespace

std::span<const iovec> Http1Framing::frame(std::string_view before, const Slice& slice, const http::Fields* trailers,
                                           Arena& arena) {
  std::size_t count = 0;
  if (!before.empty()) pieces_[count++] = piece(before);
  if (!slice.data.empty()) {
    if (chunked_) pieces_[count++] = {size_line_.data(), http::write_chunk_head(size_line_.data(), slice.data.size())};
    pieces_[count++] = piece(slice.data);
    if (chunked_) pieces_[count++] = piece("\r\n");
  }
  if (slice.last && chunked_) pieces_[count++] = piece(last_chunk(trailers, arena));
  return {pieces_.data(), count};
}

}  // namespace rproxy::exchange
