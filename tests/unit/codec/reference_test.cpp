// Against the reference tools: they read what we write, and we what they write.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "codec/sizing.h"
#include "support/codings.h"
#include "support/temporary_directory.h"

namespace rproxy::codec {
namespace {

using test::decoded;
using test::decoding;
using test::encoded;
using test::encoding;

class Tool {
 public:
  // Its output, with `input` at its standard input.
  std::string run(const std::string& command, std::string_view input) const {
    const auto in = directory_.write("in", input);
    const auto out = directory_.path("out");
    const int status = std::system((command + " < " + in + " > " + out + " 2> " + directory_.path("err")).c_str());
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
      ADD_FAILURE() << command << ": " << read(directory_.path("err"));
      return {};
    }
    return read(out);
  }
  std::string write(std::string_view name, std::string_view bytes) const { return directory_.write(name, bytes); }

 private:
  static std::string read(const std::string& path) {
    std::stringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
  }

  test::TemporaryDirectory directory_;
};

struct Format {
  Coding coding;
  std::string encode;  // with "LEVEL" in it
  std::string decode;
};

const std::array<Format, 3>& formats() {
  static const std::array<Format, 3> all{{{Coding::kGzip, "gzip -LEVEL -c", "gzip -d -c"},
                                          {Coding::kBrotli, "brotli -q LEVEL -c", "brotli -d -c"},
                                          {Coding::kZstd, "zstd -q -LEVEL -c", "zstd -q -d -c"}}};
  return all;
}

std::vector<std::string> contents() {
  return {"", "a", test::prose(1'000), test::prose(400'000), test::noise(100'000), std::string(1'000'000, '\0')};
}

TEST(Reference, ReadsWhatWeWrite) {
  const Tool tool;
  for (const Format& format : formats()) {
    const Levels levels = levels_of(format.coding);
    for (const std::string& content : contents()) {
      for (const int level : {levels.min, levels.usual, levels.max}) {
        auto options = encoding(format.coding, level);
        if (level == levels.usual) options.size_hint = content.size();
        EXPECT_EQ(tool.run(format.decode, encoded(options, content)) == content, true) << format.decode << level;
      }
    }
  }
}

TEST(Reference, ReadsWhatWeFlushed) {
  const Tool tool;
  for (const Format& format : formats()) {
    Encoders pool;
    auto encoder = pool.take(encoding(format.coding)).value();
    std::string bytes;
    std::string content;
    for (unsigned i = 0; i < 20; ++i) {
      const auto event = test::prose(50 * i, i);
      content += event;
      ASSERT_TRUE(test::encode_into(*encoder, event, Flush::kFlush, bytes, test::pieces_of(64), test::pieces_of(7)));
    }
    ASSERT_TRUE(test::encode_into(*encoder, "", Flush::kEnd, bytes));
    EXPECT_EQ(tool.run(format.decode, bytes), content) << format.decode;
  }
}

TEST(Reference, IsReadAtAllLevels) {
  const Tool tool;
  for (const Format& format : formats()) {
    for (const std::string& content : contents()) {
      for (const std::string level : {"1", "6", "9"}) {
        auto command = format.encode;
        command.replace(command.find("LEVEL"), 5, level);
        const auto back = decoded(decoding(format.coding), tool.run(command, content));
        ASSERT_TRUE(back) << command << ": " << describe(back.error());
        EXPECT_EQ(*back == content, true) << command;
      }
    }
  }
}

TEST(Reference, IsReadWithChecksumsAndSeveralFrames) {
  const Tool tool;
  const std::string content = test::prose(100'000);
  for (const std::string command : {"zstd -q --check -c", "zstd -q --no-check -c", "zstd -q -c --no-content-size"}) {
    const auto bytes = tool.run(command, content);
    EXPECT_EQ(decoded(decoding(Coding::kZstd), bytes + bytes).value() == content + content, true) << command;
  }
  EXPECT_EQ(decoded(decoding(Coding::kGzip), tool.run("gzip -c --name", content)).value() == content, true);
}

// To the tool, what dcz has in front is a skippable frame, and a dictionary that is not of its own making raw content.
TEST(Reference, ReadsAndWritesDcz) {
  const Tool tool;
  const std::string before = test::prose(200'000);
  const std::string content =
      before.substr(0, 90'000) + "something new" + before.substr(100'000) + test::prose(5'000, 2);
  auto options = encoding(Coding::kDcz);
  options.dictionary = Dictionary::make(before).value();
  const auto file = tool.write("dictionary", before);
  const auto bytes = encoded(options, content);
  EXPECT_EQ(tool.run("zstd -q -d -c -D " + file, bytes) == content, true);

  auto reading = decoding(Coding::kDcz);
  reading.dictionary = options.dictionary;
  const auto theirs = bytes.substr(0, 40) + tool.run("zstd -q -c -D " + file, content);
  const auto back = decoded(reading, theirs);
  ASSERT_TRUE(back) << describe(back.error());
  EXPECT_EQ(*back == content, true);
}

}  // namespace
}  // namespace rproxy::codec
