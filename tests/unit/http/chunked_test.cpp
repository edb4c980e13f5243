#include "http/chunked.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rproxy::http {
namespace {

const ChunkLimits kLimits{16, ByteSize{64}, 3};

// Content, then "|done", "|more" or "|error", then the trailers; fed in the pieces that begin at `starts`.
std::string decode(const std::string& bytes, std::vector<std::size_t> starts) {
  Arena arena;
  ChunkDecoder decoder(kLimits, arena);
  std::string content;
  starts.push_back(bytes.size());
  for (std::size_t i = 0; i + 1 < starts.size(); ++i) {
    std::string_view piece = std::string_view(bytes).substr(starts[i], starts[i + 1] - starts[i]);
    while (!piece.empty()) {
      auto step = decoder.feed(piece);
      if (!step) return content + "|error";
      content += step->content;
      piece.remove_prefix(step->consumed);
      if (!step->done) continue;
      content += "|done";
      for (const Field& field : decoder.trailers()) {
        content.append(" ").append(field.name).append("=").append(field.value);
      }
      return content;
    }
  }
  return content + "|more";
}

TEST(ChunkDecoder, SaysTheSameHoweverTheBytesArrive) {
  const struct {
    std::string bytes;
    std::string want;
  } cases[] = {
      {"5\r\nhello\r\n0\r\n\r\n", "hello|done"},
      {"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nGET", "hello world|done"},
      {"00A\r\n0123456789\r\n0\r\n\r\n", "0123456789|done"},
      {"1;a=b\r\nx\r\n0;c\r\n\r\n", "x|done"},
      {"1\r\nx\r\n0\r\nA: b\r\nC:d\r\n\r\n", "x|done A=b C=d"},
      {"0\r\nContent-Length: 5\r\nHost: a\r\nX: y\r\n\r\n", "|done X=y"},
      {"0\r\nX_Real_IP: 5\r\nHTTP2-Settings: a\r\nETag: y\r\n\r\n", "|done ETag=y"},
      {"0\r\ngrpc-status: 0\r\ngrpc-message: a\r\n\r\n", "|done grpc-status=0 grpc-message=a"},
      {"1 ;a\r\nx\r\n0\t; c = d ;e\r\n\r\n", "x|done"},
      {"1;a=\"b;\\\"\"\r\nx\r\n0\r\n\r\n", "x|done"},
      {"1 \r\nx\r\n", "|error"},
      {"1;\r\nx\r\n", "|error"},
      {"1;a \r\nx\r\n", "|error"},
      {"1;a=\r\nx\r\n", "|error"},
      {"1;a=b c\r\nx\r\n", "|error"},
      {"1;a=b=c\r\nx\r\n", "|error"},
      {"1;a b\r\nx\r\n", "|error"},
      {"1;a=\"b\r\nx\r\n", "|error"},
      {"1;a=\"b\"c\r\nx\r\n", "|error"},
      {"1;a=\"\\\r\nx\r\n", "|error"},
      {"0\r\nX-Request-Id: a\r\nServer: b\r\nVia: c\r\n\r\n", "|done"},
      {"5\r\nhel", "hel|more"},
      {"5\r\nhello\r\n0\r\n", "hello|more"},
      {"x\r\n", "|error"},
      {"\r\n", "|error"},
      {"-1\r\n", "|error"},
      {"0x1\r\na\r\n", "|error"},
      {"1\na\r\n", "|error"},
      {"1\r\nab\r\n", "a|error"},
      {"1\r\na\n0\r\n\r\n", "a|error"},
      {"10000000000000000\r\n", "|error"},
      {"8000000000000000\r\n", "|error"},
      {"1;" + std::string(20, 'e') + "\r\na\r\n", "|error"},
      {"1;\n\r\na\r\n", "|error"},
      {"0\r\nA\r\n\r\n", "|error"},
      {"0\r\nA : b\r\n\r\n", "|error"},
      {"0\r\nA: b\r\n c\r\n\r\n", "|error"},
      {"0\r\nA: b\n\r\n", "|error"},
      {"0\r\nA:\r\nB:\r\nC:\r\nD:\r\n\r\n", "|error"},
      {"0\r\nA: " + std::string(80, 'x') + "\r\n\r\n", "|error"},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(decode(each.bytes, {0}), each.want) << each.bytes;
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < each.bytes.size(); ++i) all.push_back(i);
    EXPECT_EQ(decode(each.bytes, all), each.want) << "byte by byte: " << each.bytes;
    for (std::size_t split = 1; split < each.bytes.size(); ++split) {
      ASSERT_EQ(decode(each.bytes, {0, split}), each.want) << "split at " << split << ": " << each.bytes;
    }
  }
}

TEST(ChunkHead, IsHexadecimal) {
  char out[kChunkHeadMax];
  for (const auto& [size, text] :
       {std::pair<std::uint64_t, std::string>{1, "1\r\n"}, {255, "ff\r\n"}, {4096, "1000\r\n"}}) {
    EXPECT_EQ(std::string(out, write_chunk_head(out, size)), text);
  }
  EXPECT_EQ(write_chunk_head(out, ~std::uint64_t{0}), kChunkHeadMax);
}

}  // namespace
}  // namespace rproxy::http
