#include "cache/export_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cache/little_endian.h"
#include "cache/meta_codec.h"

namespace rproxy::cache {
namespace {

// Neither text nor UTF-8, and no line ending survives a transfer as text.
constexpr std::string_view kMagic("\x89rpxexp\n", 8);
constexpr std::uint32_t kVersion = 1;
constexpr char kRecordMark = 'R';
constexpr char kEndMark = 'E';
constexpr std::size_t kBeginSize = 12;
constexpr std::size_t kRecordFixed = 13;
constexpr std::size_t kSumSize = 8;
constexpr std::size_t kEndSize = 17;

std::uint64_t sum_of(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

}  // namespace

std::string ExportWriter::begin() {
  std::string out(kMagic);
  append_number(out, kVersion);
  return out;
}

std::optional<std::string> ExportWriter::begin_record(const Meta& meta, std::uint64_t content_size) {
  const auto encoded = encode(meta);
  if (!encoded) return std::nullopt;
  std::string out(1, kRecordMark);
  append_number(out, static_cast<std::uint32_t>(encoded->size()));
  append_number(out, content_size);
  out += *encoded;
  append_number(out, sum_of(out));
  sum_.reset();
  return out;
}

std::string ExportWriter::end_record() {
  ++records_;
  std::string out;
  append_number(out, sum_.value());
  return out;
}

std::string ExportWriter::end() const {
  std::string out(1, kEndMark);
  append_number(out, records_);
  append_number(out, sum_of(out));
  return out;
}

void ExportReader::feed(std::string_view bytes) {
  buffer_.erase(0, std::exchange(at_, 0));
  buffer_ += bytes;
}

Result<ExportReader::Event> ExportReader::next() {
  switch (state_) {
    case State::kBegin:
      return begin();
    case State::kRecord:
      return record();
    case State::kContent:
      return content();
    case State::kSum:
      return content_sum();
    case State::kEnd:
      return rest().empty() ? Result<Event>(Event{Event::Kind::kEnd, {}, 0, {}})
                            : fail_with("something follows its end");
    case State::kFailed:
      break;
  }
  return fail_with(error_);
}

Result<void> ExportReader::finish() const {
  if (state_ == State::kEnd && rest().empty()) return {};
  return fail(ErrorCode::kTruncated, Side::kLocal, Retry::kNever,
              state_ == State::kBegin ? "it ends before it has begun: no export of a cache"
                                      : fmt::format("it ends in the middle, after {} answers", records_));
}

Result<ExportReader::Event> ExportReader::fail_with(std::string what) {
  state_ = State::kFailed;
  error_ = std::move(what);
  return fail(ErrorCode::kBadFraming, Side::kLocal, Retry::kNever, error_);
}

Result<ExportReader::Event> ExportReader::begin() {
  const std::string_view bytes = rest();
  const std::size_t known = std::min(bytes.size(), kMagic.size());
  if (bytes.substr(0, known) != kMagic.substr(0, known)) return fail_with("it is no export of a cache");
  if (bytes.size() < kBeginSize) return Event{};
  const auto version = read_number<std::uint32_t>(bytes.data() + kMagic.size());
  if (version != kVersion) {
    return fail_with(fmt::format("it is of version {}, and {} is the one that is read", version, kVersion));
  }
  at_ += kBeginSize;
  state_ = State::kRecord;
  return record();
}

Result<ExportReader::Event> ExportReader::record() {
  const std::string_view bytes = rest();
  if (bytes.empty()) return Event{};
  if (bytes.front() == kEndMark) return end();
  if (bytes.front() != kRecordMark) return fail_with(fmt::format("what follows answer {} is none", records_));
  if (bytes.size() < kRecordFixed) return Event{};
  const std::size_t meta_size = read_number<std::uint32_t>(bytes.data() + 1);
  const auto content_size = read_number<std::uint64_t>(bytes.data() + 5);
  if (meta_size > kEncodedMetaMax || content_size > kContentMax) {
    return fail_with(fmt::format("the head of answer {} is damaged", records_ + 1));
  }
  const std::size_t size = kRecordFixed + meta_size;
  if (bytes.size() < size + kSumSize) return Event{};
  const bool is_whole = read_number<std::uint64_t>(bytes.data() + size) == sum_of(bytes.substr(0, size));
  auto meta = is_whole ? decode_meta(bytes.substr(kRecordFixed, meta_size)) : std::nullopt;
  if (!meta) return fail_with(fmt::format("the head of answer {} is damaged", records_ + 1));
  at_ += size + kSumSize;
  content_left_ = content_size;
  sum_.reset();
  state_ = State::kContent;
  return Event{Event::Kind::kRecord, std::move(meta), content_size, {}};
}

Result<ExportReader::Event> ExportReader::content() {
  if (content_left_ == 0) {
    state_ = State::kSum;
    return content_sum();
  }
  const std::string_view bytes = rest().substr(0, content_left_);
  if (bytes.empty()) return Event{};
  at_ += bytes.size();
  content_left_ -= bytes.size();
  sum_.add(bytes);
  return Event{Event::Kind::kContent, {}, 0, bytes};
}

Result<ExportReader::Event> ExportReader::content_sum() {
  const std::string_view bytes = rest();
  if (bytes.size() < kSumSize) return Event{};
  if (read_number<std::uint64_t>(bytes.data()) != sum_.value()) {
    return fail_with(fmt::format("the content of answer {} is damaged", records_ + 1));
  }
  at_ += kSumSize;
  ++records_;
  state_ = State::kRecord;
  return Event{Event::Kind::kStored, {}, 0, {}};
}

Result<ExportReader::Event> ExportReader::end() {
  const std::string_view bytes = rest();
  if (bytes.size() < kEndSize) return Event{};
  const bool is_whole = read_number<std::uint64_t>(bytes.data() + 9) == sum_of(bytes.substr(0, 9)) &&
                        read_number<std::uint64_t>(bytes.data() + 1) == records_;
  if (!is_whole) return fail_with("its end is damaged, or answers are missing");
  at_ += kEndSize;
  state_ = State::kEnd;
  return next();
}

}  // namespace rproxy::cache
