// show and why: what is known of a URL's answers in a directory, and what becomes of a request for it.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "admin/cache_view.h"
#include "cache/fit.h"
#include "cache/key.h"
#include "cache/url.h"
#include "cache/why.h"
#include "cli/cache_directory.h"
#include "cli/cache_table.h"
#include "cli/command.h"
#include "cli/output.h"

namespace rproxy::cli {
namespace {

using Json = nlohmann::ordered_json;

// Whatever a directory holds of one URL: bounded all the same.
constexpr std::size_t kStoredMax = 1000;

// ---- why.

struct Stored {
  cache::EntryPtr entry;
  std::uint64_t size = 0;
  bool is_purged = false;
};

// Those that one configuration of a route's key has made.
struct Group {
  std::string key;  // its text
  cache::KeyOptions options;
  std::vector<Stored> stored;
};

void add_to_groups(std::vector<Group>& groups, const storage::DiskRow& row) {
  const cache::Meta& meta = row.head.meta;
  const auto options = cache::options_in(meta.extras);
  auto found = std::ranges::find_if(
      groups, [&](const Group& group) { return group.key == meta.key && group.options == options; });
  if (found == groups.end()) found = groups.insert(groups.end(), {meta.key, options, {}});
  auto entry = std::make_shared<const cache::Entry>(meta, cache::Content::whole({}));
  if (row.is_stale) entry->mark_stale();
  found->stored.push_back({std::move(entry), row.size(), row.is_purged});
}

// `extras`: the key's own, of what that configuration adds to the URL.
Json why_of(const Group& group, const http::RequestHead& head, std::string_view extras) {
  const cache::Key key{group.key, extras, storage::Digest::of(group.key)};
  const cache::WhyAsked asked{key, head.fields, cache::RequestDirectives::of(head.fields), cache::wanted_range(head)};
  std::vector<cache::WhyCandidate> candidates;
  std::vector<admin::CachedObject> objects;
  for (const Stored& each : group.stored) {
    candidates.push_back({each.entry, each.is_purged});
    objects.push_back({each.entry->meta(), each.size, 0, true, each.entry->is_marked_stale()});
  }
  const std::int64_t now = wall_clock_ms();
  Json json = admin::cache_why_view(asked, cache::why(asked, candidates, now), objects, now);
  for (Json& object : json["stored"]) object.erase("hits");
  return json;
}

// Of the same place, with another query.
bool is_beside(const storage::DiskRow& row, const std::string& url) {
  const std::string_view other = row.head.meta.url();
  return other.substr(0, other.find('?')) == url.substr(0, url.find('?'));
}

Json notes_of(const http::RequestHead& head, std::uint64_t beside) {
  Json notes = Json::array();
  notes.push_back(
      "by the directory alone: what a route's cache settings say of keys, bypass and clients, --attach knows");
  if (beside != 0) notes.push_back(fmt::format("{} answers are stored of this path with other queries", beside));
  if (head.fields.has(http::FieldId::kIfMatch) || head.fields.has(http::FieldId::kIfUnmodifiedSince)) {
    notes.push_back(
        "If-Match and If-Unmodified-Since are the upstream's to decide (RFC 9111 4.3.2): the cache is passed by");
  }
  return notes;
}

}  // namespace

int show_in_directory(const CacheQuestion& question) {
  const auto target = CacheTarget::of(question.target);
  if (!target) return refuse_cache_inspect(question.target + " is no URL, no key and no file's name");
  Json objects = Json::array();
  CacheScan scan(question, "looking");
  scan.each_of(*target, [&](const storage::DiskRow& row) {
    Json object = admin::cached_object_details({row.head.meta, row.size(), 0, true, row.is_stale}, scan.now_ms());
    object.erase("hits");
    object["file"] = row.name.text();
    object["purged"] = row.is_purged;
    objects.push_back(std::move(object));
    return objects.size() < kStoredMax;
  });
  if (objects.empty()) return fail_cache_inspect(fmt::format("nothing is stored of {}", question.target));
  const Json shown{{"objects", std::move(objects)}};
  write_output(question.is_json ? json_line(shown, 2) : cache_objects_text(shown));
  return kOk;
}

int why_in_directory(const CacheQuestion& question) {
  const auto target = CacheTarget::of(question.target);
  if (!target || target->url().empty()) return refuse_cache_inspect("why takes a URL such as https://shop.com/a.png");
  Arena arena;
  http::RequestHead head = *cache::parse_url(question.target, {}, arena);
  const GivenFields given(question.headers);
  head.fields = given.fields();
  std::vector<Group> groups;
  std::uint64_t beside = 0;
  CacheScan scan(question, "looking");
  scan.each({[&](const storage::DiskRow& row) {
    if (target->holds(row)) {
      add_to_groups(groups, row);
    } else if (is_beside(row, target->url())) {
      ++beside;
    }
    return true;
  }});
  const bool is_there = !groups.empty();
  if (!is_there) groups.push_back({"- " + target->url(), {}, {}});
  Json answers = Json::array();
  for (const Group& group : groups) {
    const auto extras = cache::make_key("-", group.options, head, head.authority, head.path, arena).extras;
    answers.push_back(why_of(group, head, extras));
  }
  if (!is_there) answers.back().erase("key");
  answers.back()["notes"] = notes_of(head, beside);
  if (question.is_json) {
    write_output(json_line(answers.size() == 1 ? answers.front() : Json{{"answers", answers}}, 2));
    return kOk;
  }
  for (const Json& answer : answers) write_output(wrap_prose(cache_why_text(answer), width_of_output()));
  return kOk;
}

}  // namespace rproxy::cli
