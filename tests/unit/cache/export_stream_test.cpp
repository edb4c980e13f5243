#include "cache/export_stream.h"

#include <gtest/gtest.h>

#include "unit/cache/stored.h"

namespace rproxy::cache {
namespace {

using Kind = ExportReader::Event::Kind;

Meta plain_meta() {
  Meta meta;
  meta.key = "shop https://shop.com/b";
  return meta;
}

std::string stream_of(const std::vector<std::pair<Meta, std::string>>& answers) {
  ExportWriter writer;
  std::string out = ExportWriter::begin();
  for (const auto& [meta, content] : answers) {
    out += *writer.begin_record(meta, content.size());
    writer.add(content);
    out += content + writer.end_record();
  }
  return out + writer.end();
}

struct Read {
  std::vector<Meta> metas;  // of those that are whole
  std::vector<std::string> contents;
  std::string error;
};

// In pieces of that size.
Read read_all(std::string_view bytes, std::size_t piece) {
  Read out;
  ExportReader reader;
  std::optional<Meta> meta;
  std::string content;
  while (true) {
    const auto event = reader.next();
    if (!event) {
      out.error = event.error().context;
      return out;
    }
    if (event->kind == Kind::kMore) {
      if (bytes.empty()) break;
      reader.feed(bytes.substr(0, piece));
      bytes.remove_prefix(std::min(piece, bytes.size()));
    } else if (event->kind == Kind::kRecord) {
      meta = event->meta;
      content.clear();
    } else if (event->kind == Kind::kContent) {
      content += event->bytes;
    } else if (event->kind == Kind::kStored) {
      out.metas.push_back(*meta);
      out.contents.push_back(content);
    } else if (bytes.empty()) {
      break;
    } else {
      reader.feed(std::exchange(bytes, {}));
    }
  }
  if (const auto finished = reader.finish(); !finished) out.error = finished.error().context;
  return out;
}

const std::string& sample() {
  static const std::string bytes = stream_of({{full_meta(), "hello"}, {plain_meta(), ""}, {full_meta(), "world!"}});
  return bytes;
}

TEST(ExportStream, WhatIsWrittenIsReadHoweverItIsCut) {
  for (std::size_t piece = 1; piece <= sample().size(); ++piece) {
    const Read read = read_all(sample(), piece);
    ASSERT_EQ(read.error, "");
    ASSERT_EQ(read.contents, (std::vector<std::string>{"hello", "", "world!"}));
    expect_same(read.metas[0], full_meta());
    expect_same(read.metas[1], plain_meta());
  }
  EXPECT_EQ(read_all(stream_of({}), 1).error, "");
}

TEST(ExportStream, WhatIsCutOffIsMissed) {
  for (std::size_t size = 0; size < sample().size(); ++size) {
    const Read read = read_all(sample().substr(0, size), 64);
    EXPECT_NE(read.error, "") << size;
    EXPECT_LE(read.contents.size(), 3U);
  }
  EXPECT_EQ(read_all(sample().substr(0, sample().size() - 1), 64).error, "it ends in the middle, after 3 answers");
  EXPECT_EQ(read_all("", 1).error, "it ends before it has begun: no export of a cache");
}

TEST(ExportStream, EachFlippedBitIsSeenAndWhatCameBeforeHolds) {
  for (std::size_t at = 0; at < sample().size(); ++at) {
    std::string bytes = sample();
    bytes[at] = static_cast<char>(bytes[at] ^ 4);
    const Read read = read_all(bytes, 100);
    EXPECT_NE(read.error, "") << at;
    for (std::size_t i = 0; i < read.contents.size(); ++i) {
      EXPECT_EQ(read.contents[i], (std::vector<std::string>{"hello", "", "world!"})[i]);
    }
  }
}

TEST(ExportStream, SaysWhatIsWrong) {
  EXPECT_EQ(read_all("GET / HTTP/1.1", 64).error, "it is no export of a cache");
  std::string later = sample();
  later[8] = 2;
  EXPECT_EQ(read_all(later, 64).error, "it is of version 2, and 1 is the one that is read");
  EXPECT_EQ(read_all(sample() + "x", 4096).error, "something follows its end");
  std::string other = sample().substr(0, 12) + "?";
  EXPECT_EQ(read_all(other, 64).error, "what follows answer 0 is none");
  // A head that claims more than there may be.
  std::string huge = sample();
  huge[12 + 4] = '\x7f';
  EXPECT_EQ(read_all(huge, 64).error, "the head of answer 1 is damaged");
}

}  // namespace
}  // namespace rproxy::cache
