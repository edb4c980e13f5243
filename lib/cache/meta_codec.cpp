#include "cache/meta_codec.h"

#include <cstdint>

#include "cache/little_endian.h"

namespace rproxy::cache {
namespace {

constexpr std::uint8_t kMetaVersion = 1;
// Members of one list. Each costs more memory than bytes, which is bounded with this.
constexpr std::size_t kListMax = 8192;

enum Flags : std::uint8_t {
  kMustRevalidate = 1,
  kNoCache = 2,
  kHasPart = 4,
  kHasWhole = 8,  // the part's, of a known size
  kAllFlags = 15,
};

// Both ways go through the members in one order, told once.
template <typename Coder, typename M>
void walk(Coder& coder, M& meta) {
  coder.text(meta.key);
  coder.text(meta.extras);
  coder.list(meta.variant, [&](auto& field) {
    coder.text(field.name);
    coder.text(field.value);
    coder.text(field.written);
  });
  coder.number(meta.status);
  coder.list(meta.fields, [&](auto& field) {
    coder.text(field.first);
    coder.text(field.second);
  });
  coder.flags(meta);
  if (meta.part) {
    coder.number(meta.part->range.first);
    coder.number(meta.part->range.last);
    if (meta.part->size) coder.number(*meta.part->size);
  }
  coder.time(meta.requested_ms);
  coder.time(meta.received_ms);
  coder.time(meta.initial_age);
  coder.source(meta.freshness.source);
  coder.time(meta.freshness.lifetime);
  coder.time(meta.stale_while_revalidate);
  coder.time(meta.stale_if_error);
  for (auto* texts : {&meta.no_cache_fields, &meta.tags, &meta.groups}) {
    coder.list(*texts, [&](auto& text) { coder.text(text); });
  }
}

class Encoder {
 public:
  Encoder() { append_number(out_, kMetaVersion); }

  template <std::unsigned_integral T>
  void number(T value) {
    append_number(out_, value);
  }
  void time(std::int64_t value) { number(static_cast<std::uint64_t>(value)); }
  void source(Freshness::Source source) { number(static_cast<std::uint8_t>(source)); }
  void text(const std::string& text) {
    if (text.size() > kEncodedMetaMax) return fail();
    number(static_cast<std::uint32_t>(text.size()));
    out_ += text;
    if (out_.size() > kEncodedMetaMax) fail();
  }
  template <typename T, typename Each>
  void list(const std::vector<T>& items, const Each& each) {
    if (items.size() > kListMax) return fail();
    number(static_cast<std::uint32_t>(items.size()));
    for (const T& item : items) each(item);
  }
  void flags(const Meta& meta) {
    std::uint8_t flags = 0;
    if (meta.must_revalidate) flags |= kMustRevalidate;
    if (meta.no_cache) flags |= kNoCache;
    if (meta.part) flags |= kHasPart;
    if (meta.part && meta.part->size) flags |= kHasWhole;
    number(flags);
  }

  std::optional<std::string> finish() && {
    if (has_failed_ || out_.size() > kEncodedMetaMax) return std::nullopt;
    return std::move(out_);
  }

 private:
  void fail() {
    has_failed_ = true;
    out_.clear();
  }

  std::string out_;
  bool has_failed_ = false;
};

// Once it has failed there are no bytes left, and all that follows is empty.
class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : rest_(bytes) {
    std::uint8_t version = 0;
    number(version);
    if (version != kMetaVersion) fail();
  }

  template <std::unsigned_integral T>
  void number(T& value) {
    value = 0;
    if (rest_.size() < sizeof(T)) return fail();
    value = read_number<T>(rest_.data());
    rest_.remove_prefix(sizeof(T));
  }
  void time(std::int64_t& value) {
    std::uint64_t bits = 0;
    number(bits);
    value = static_cast<std::int64_t>(bits);
  }
  void source(Freshness::Source& source) {
    std::uint8_t value = 0;
    number(value);
    if (value > static_cast<std::uint8_t>(Freshness::Source::kHeuristic)) return fail();
    source = static_cast<Freshness::Source>(value);
  }
  void text(std::string& text) {
    std::uint32_t size = 0;
    number(size);
    if (size > rest_.size()) return fail();
    text.assign(rest_.substr(0, size));
    rest_.remove_prefix(size);
  }
  template <typename T, typename Each>
  void list(std::vector<T>& items, const Each& each) {
    std::uint32_t count = 0;
    number(count);
    if (count > kListMax) return fail();
    for (; count > 0 && !has_failed_; --count) each(items.emplace_back());
  }
  void flags(Meta& meta) {
    std::uint8_t flags = 0;
    number(flags);
    const bool whole_of_nothing = (flags & kHasWhole) != 0 && (flags & kHasPart) == 0;
    if ((flags & ~kAllFlags) != 0 || whole_of_nothing) return fail();
    meta.must_revalidate = (flags & kMustRevalidate) != 0;
    meta.no_cache = (flags & kNoCache) != 0;
    if ((flags & kHasPart) != 0) meta.part.emplace();
    if ((flags & kHasWhole) != 0) meta.part->size.emplace();
  }

  bool is_done() const { return !has_failed_ && rest_.empty(); }

 private:
  void fail() {
    has_failed_ = true;
    rest_ = {};
  }

  std::string_view rest_;
  bool has_failed_ = false;
};

}  // namespace

std::optional<std::string> encode(const Meta& meta) {
  Encoder encoder;
  walk(encoder, meta);
  return std::move(encoder).finish();
}

std::optional<Meta> decode_meta(std::string_view bytes) {
  if (bytes.size() > kEncodedMetaMax) return std::nullopt;
  Meta meta;
  Decoder decoder(bytes);
  walk(decoder, meta);
  if (!decoder.is_done()) return std::nullopt;
  return meta;
}

}  // namespace rproxy::cache
