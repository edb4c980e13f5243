// What the libraries make of a dictionary before they can use it. Made when it is first asked for, by one thread for all.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string_view>

struct ZSTD_CDict_s;
struct ZSTD_DDict_s;
struct BrotliEncoderPreparedDictionaryStruct;

namespace rproxy::codec {

class Prepared {
 public:
  // Of a level no longer asked for, what was made goes when two others came after it.
  static constexpr std::size_t kLevels = 2;

  // `bytes` outlive it.
  explicit Prepared(std::string_view bytes) : bytes_(bytes) {}

  // Null where there is no memory.
  std::shared_ptr<const ZSTD_CDict_s> for_zstd(int level);
  std::shared_ptr<const ZSTD_DDict_s> for_zstd_decoder();
#ifdef RPROXY_HAS_DCB
  std::shared_ptr<const BrotliEncoderPreparedDictionaryStruct> for_brotli(int level);
#endif

  std::size_t memory() const;

 private:
  template <typename Made>
  struct Kept {
    int level = 0;
    std::shared_ptr<const Made> made;
  };
  template <typename Made>
  using Cache = std::array<Kept<Made>, kLevels>;

  template <typename Made, typename Make>
  std::shared_ptr<const Made> find_or_make(Cache<Made>& cache, int level, const Make& make);

  std::string_view bytes_;
  mutable std::mutex mutex_;
  Cache<ZSTD_CDict_s> zstd_;
  std::shared_ptr<const ZSTD_DDict_s> zstd_decoder_;
#ifdef RPROXY_HAS_DCB
  Cache<BrotliEncoderPreparedDictionaryStruct> brotli_;
#endif
};

}  // namespace rproxy::codec
