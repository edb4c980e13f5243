// Stored answers as a stream of bytes, from one node to another:
//
//   stream   magic (8)  version (4)  records  end
//   record   'R'  size of Meta (4)  size of content (8)  Meta (encode())  checksum of all that (8)  content  checksum of the content (8)
//   end      'E'  number of records (8)  checksum of that (8)
//
// Numbers are little-endian, checksums XXH3-64. What is torn or flipped shows at the record, and those before it hold.
#pragma once

#include <xxhash.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cache/entry.h"

namespace rproxy::cache {

// Of bytes as they come.
class StreamSum {
 public:
  StreamSum() : state_(XXH3_createState()) { reset(); }
  void reset() { XXH3_64bits_reset(state_.get()); }
  void add(std::string_view bytes) { XXH3_64bits_update(state_.get(), bytes.data(), bytes.size()); }
  std::uint64_t value() const { return XXH3_64bits_digest(state_.get()); }

 private:
  struct Free {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  std::unique_ptr<XXH3_state_t, Free> state_;
};

// Makes the bytes, piece by piece.
class ExportWriter {
 public:
  static std::string begin();
  // Nothing where such a Meta can't be encoded. What follows is all of the content, and then end_record().
  std::optional<std::string> begin_record(const Meta& meta, std::uint64_t content_size);
  void add(std::string_view content) { sum_.add(content); }
  std::string end_record();
  std::string end() const;
  std::uint64_t records() const { return records_; }

 private:
  StreamSum sum_;
  std::uint64_t records_ = 0;
};

// Reads what comes, however it is cut. Holds one head of a record at most.
class ExportReader {
 public:
  static constexpr std::uint64_t kContentMax = std::uint64_t{1} << 48;

  struct Event {
    enum class Kind : std::uint8_t {
      kMore,     // feed() it
      kRecord,   // `meta` and `content_size`
      kContent,  // `bytes`, which are in place until the next call
      kStored,   // all of the record was there, and is whole
      kEnd,
    };
    Kind kind = Kind::kMore;
    std::optional<Meta> meta;
    std::uint64_t content_size = 0;
    std::string_view bytes;
  };

  void feed(std::string_view bytes);
  // kBadFraming, with what is wrong; the same from then on.
  Result<Event> next();
  // Nothing more comes: kTruncated where there should.
  Result<void> finish() const;
  std::uint64_t records() const { return records_; }

 private:
  enum class State : std::uint8_t { kBegin, kRecord, kContent, kSum, kEnd, kFailed };

  std::string_view rest() const { return std::string_view(buffer_).substr(at_); }
  Result<Event> fail_with(std::string what);
  Result<Event> begin();
  Result<Event> record();
  Result<Event> content();
  Result<Event> content_sum();
  Result<Event> end();

  State state_ = State::kBegin;
  std::string buffer_;
  std::size_t at_ = 0;
  std::uint64_t content_left_ = 0;
  StreamSum sum_;
  std::uint64_t records_ = 0;
  std::string error_;
};

}  // namespace rproxy::cache
