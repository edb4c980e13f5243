// Contents that were sent and may serve as dictionaries for what the same clients ask for next (RFC 9842): a newer version of a script costs
// what is new in it. Nothing is asked of the upstream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/units.h"
#include "codec/dictionary.h"
#include "http/fields.h"

namespace rproxy::filter {

// What a client says it has; nothing where it says nothing, or what can't be read (RFC 9842 2.2).
std::optional<codec::Sha256> available_dictionary(const http::Fields& request);

// Whether it can be a pattern of paths, and stand in a string, as it is (RFC 9842 2.1.1: a URL pattern without regular expressions); of those no
// more than wildcards are used here.
bool is_dictionary_match(std::string_view match);

// Whether a path is one that `match` of Use-As-Dictionary speaks of: "*" stands for anything.
bool matches_dictionary(std::string_view match, std::string_view path);

// Any thread. Those of one origin are for requests to it alone: whoever knows no more than a hash must not learn from lengths what it is of.
class Dictionaries {
 public:
  explicit Dictionaries(ByteSize max) : bytes_max_(max.bytes) {}
  Dictionaries(const Dictionaries&) = delete;
  Dictionaries& operator=(const Dictionaries&) = delete;

  // Whether that version is to be learnt, by the caller: it is not known, nobody else is at it, and not too many are at others. `version`
  // tells it from others at the same origin. Each claim is released, whatever came of it.
  bool claim(std::string_view origin, std::string_view version);
  void release(std::string_view origin, std::string_view version);
  // Known from now on. The oldest go where there is no room.
  void learn(std::string_view origin, std::string_view version, std::string_view match, std::string bytes);
  // For a request for that path; null: it has gone, or is not for it.
  std::shared_ptr<const codec::Dictionary> find(const codec::Sha256& hash, std::string_view origin,
                                                std::string_view path);

  std::size_t bytes() const;

 private:
  struct Known {
    std::string name;  // origin and version
    std::string origin;
    std::string match;
    std::shared_ptr<const codec::Dictionary> dictionary;
  };
  using Order = std::list<Known>;  // the last used first

  // What is being learnt is in memory as well.
  static constexpr std::size_t kClaimsMax = 16;

  static std::string name_of(std::string_view origin, std::string_view version);
  void drop_last();

  const std::uint64_t bytes_max_;
  mutable std::mutex mutex_;
  Order order_;
  std::unordered_map<std::string, Order::iterator> by_name_;
  std::unordered_set<std::string> claimed_;
  std::size_t bytes_ = 0;
};

}  // namespace rproxy::filter
