#include "filter/dictionaries.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>

#include "http/structured.h"

namespace rproxy::filter {
namespace {

// Beside the bytes: what the coders make of them is some times as large.
constexpr std::size_t kFactor = 4;

}  // namespace

std::optional<codec::Sha256> available_dictionary(const http::Fields& request) {
  const http::Field* const field = request.find("Available-Dictionary");
  if (field == nullptr) return std::nullopt;
  const auto list = http::structured::parse_list(field->value);
  if (!list || list->size() != 1 || list->front().is_list) return std::nullopt;
  const auto* const bytes = std::get_if<http::structured::Bytes>(&list->front().value());
  codec::Sha256 hash{};
  if (bytes == nullptr || bytes->text.size() != hash.size()) return std::nullopt;
  std::ranges::transform(bytes->text, hash.begin(), [](char c) { return static_cast<std::uint8_t>(c); });
  return hash;
}

bool is_dictionary_match(std::string_view match) {
  return match.starts_with('/') && std::ranges::all_of(match, [](char c) {
           return c > ' ' && c < '\x7f' && std::string_view("\"\\(){}:?+#").find(c) == std::string_view::npos;
         });
}

// The pieces between the wildcards, each as early as it goes; the last at the end.
bool matches_dictionary(std::string_view match, std::string_view path) {
  const auto first = match.find('*');
  if (first == std::string_view::npos) return match == path;
  if (!path.starts_with(match.substr(0, first))) return false;
  path.remove_prefix(first);
  match.remove_prefix(first + 1);
  for (auto next = match.find('*'); next != std::string_view::npos; next = match.find('*')) {
    const auto found = path.find(match.substr(0, next));
    if (found == std::string_view::npos) return false;
    path.remove_prefix(found + next);
    match.remove_prefix(next + 1);
  }
  return path.ends_with(match);
}

std::string Dictionaries::name_of(std::string_view origin, std::string_view version) {
  return std::string(origin).append(" ").append(version);
}

bool Dictionaries::claim(std::string_view origin, std::string_view version) {
  auto name = name_of(origin, version);
  const std::lock_guard lock(mutex_);
  if (by_name_.contains(name) || claimed_.size() >= kClaimsMax) return false;
  return claimed_.insert(std::move(name)).second;
}

void Dictionaries::release(std::string_view origin, std::string_view version) {
  const std::lock_guard lock(mutex_);
  claimed_.erase(name_of(origin, version));
}

void Dictionaries::learn(std::string_view origin, std::string_view version, std::string_view match, std::string bytes) {
  if (bytes.size() * kFactor > bytes_max_) return;
  auto dictionary = codec::Dictionary::make(std::move(bytes));
  if (!dictionary) return;
  const std::lock_guard lock(mutex_);
  auto name = name_of(origin, version);
  if (by_name_.contains(name)) return;
  bytes_ += (*dictionary)->bytes().size() * kFactor;
  order_.push_front({name, std::string(origin), std::string(match), std::move(*dictionary)});
  by_name_.emplace(std::move(name), order_.begin());
  while (bytes_ > bytes_max_) drop_last();
}

std::shared_ptr<const codec::Dictionary> Dictionaries::find(const codec::Sha256& hash, std::string_view origin,
                                                            std::string_view path) {
  const std::lock_guard lock(mutex_);
  // Few: what routes with dictionaries have sent lately.
  const auto found = std::ranges::find_if(order_, [&](const Known& known) {
    return known.dictionary->sha256() == hash && known.origin == origin && matches_dictionary(known.match, path);
  });
  if (found == order_.end()) return nullptr;
  order_.splice(order_.begin(), order_, found);
  return found->dictionary;
}

std::size_t Dictionaries::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

void Dictionaries::drop_last() {
  bytes_ -= order_.back().dictionary->bytes().size() * kFactor;
  by_name_.erase(order_.back().name);
  order_.pop_back();
}

}  // namespace rproxy::filter
