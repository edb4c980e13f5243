#include "cli/cache_inspect.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <string_view>

#include "cli/command.h"

namespace rproxy::cli {
namespace {

// Which options an action takes, and of whom it can be asked.
struct Action {
  std::string_view name;
  bool attached;
  bool directory;
  bool takes_target;
  bool needs_target;
  std::string_view options;
};
constexpr Action kActions[] = {
    {"stats", true, true, false, false, "json"},
    {"list", true, true, false, false, "filter sort limit json ndjson"},
    {"top", true, false, false, false, "filter sort limit json interval count"},
    {"show", true, true, true, true, "json"},
    {"why", true, true, true, true, "json header"},
    {"cat", false, true, true, true, "header output"},
    {"du", false, true, false, false, "filter limit json by depth"},
    {"verify", false, true, false, false, "json repair"},
    {"purge", true, true, true, false, "json purge"},
    {"export", false, true, false, false, "filter output"},
    {"import", false, true, true, false, "json"},
};
constexpr std::uint64_t kAttachedMax = 10'000;

std::vector<std::string> action_names() {
  std::vector<std::string> names;
  for (const Action& action : kActions) names.emplace_back(action.name);
  return names;
}

class CacheInspect final : public Command {
 public:
  explicit CacheInspect(CLI::App& app) {
    auto* command = app.add_subcommand("cache-inspect", "Look into a cache, in memory or on disk");
    command->add_option("action", asked_.action, "One of those below")
        ->required()
        ->type_name("ACTION")
        ->check(CLI::IsMember(action_names()).description(""));
    command->add_option("target", asked_.target, "A URL, a key or a file's name")->type_name("URL");
    add_place_options(*command);
    add_filter_options(*command);
    add_action_options(*command);
    command->footer(
        "Actions: stats, list, top (attached), show, why (is it a hit?), purge; of a\n"
        "directory alone: cat, du, verify, export, import.\n"
        "Exit codes: 0 done, 1 nothing found, damage, or nobody answers, 2 usage.");
  }

  int run() override {
    if (const std::string wrong = contradiction(); !wrong.empty()) return refuse_cache_inspect(wrong);
    if (asked_.directory.empty()) return inspect_attached(asked_);
    return asked_.socket.empty() ? inspect_directory(asked_) : inspect_both(asked_);
  }

 private:
  void add_place_options(CLI::App& command) {
    command.add_option("--attach", asked_.socket, "Ask the proxy of this admin socket")->type_name("SOCKET");
    command.add_option("--dir", asked_.directory, "Read this directory of a disk cache")->type_name("DIR");
    command.add_flag("--json", asked_.is_json, "As JSON");
    command.add_flag("--ndjson", asked_.is_ndjson, "Of list: JSON, a line for each");
    command.add_flag("--no-progress", asked_.no_progress, "Show no progress");
  }

  void add_filter_options(CLI::App& command) {
    cache::Filter& filter = asked_.filter;
    command.add_option("--host", filter.host, "Only this host")->type_name("HOST");
    command.add_option("--path", filter.path, "Only such paths, as \"/images/*\"")->type_name("GLOB");
    command.add_option("--status", status_, "Only this status")
        ->type_name("CODE")
        ->check(CLI::Range(100, 599).description(""));
    command.add_option("--type", filter.type, "Only such content, as \"image/*\"")->type_name("GLOB");
    command.add_option("--tag", filter.tag, "Only with this tag; of purge: all with it")->type_name("TAG");
    command.add_flag("--fresh", is_fresh_, "Only what is fresh");
    command.add_flag("--stale", is_stale_, "Only what is stale");
    command.add_option("--min-size", min_size_, "Only as large as that, as 64KiB")->type_name("SIZE");
    command.add_option("--min-age", min_age_, "Only as old as that, as 1h")->type_name("TIME");
    command.add_option("--sort", asked_.sort, "url, size, age or hits")
        ->type_name("BY")
        ->check(CLI::IsMember({"url", "size", "age", "hits"}).description(""));
    command.add_option("--limit", asked_.limit, "How many are listed")
        ->type_name("N")
        ->check(CLI::Range(1, 1'000'000'000).description(""));
  }

  void add_action_options(CLI::App& command) {
    command.add_option("-H,--header", asked_.headers, "Of why and cat: a header of the request")
        ->type_name("HEADER")
        ->allow_extra_args(false);
    command.add_option("-o,--output", asked_.output, "Of cat and export: into this file")->type_name("FILE");
    command.add_option("--by", asked_.by, "Of du: host, type, status or path")
        ->type_name("WHAT")
        ->check(CLI::IsMember({"host", "type", "status", "path"}).description(""));
    command.add_option("--depth", asked_.depth, "Of du: so much of the path (1)")
        ->type_name("N")
        ->check(CLI::Range(1, 100).description(""));
    command.add_flag("--repair", asked_.is_repair, "Of verify: remove what is damaged");
    command.add_option("--prefix", asked_.prefix, "Of purge: all URLs that begin so")->type_name("URL");
    command.add_option("--group", asked_.group, "Of purge: \"ORIGIN NAME\" (RFC 9875)")->type_name("GROUP");
    command.add_flag("--all", asked_.is_all, "Of purge: everything");
    command.add_flag("--soft", asked_.is_soft, "Of purge: make it stale, don't remove it");
    command.add_option("--interval", interval_, "Of top: from round to round (2s)")->type_name("TIME");
    command.add_option("--count", asked_.count, "Of top: so many rounds")
        ->type_name("N")
        ->check(CLI::Range(1, 1'000'000'000).description(""));
  }

  // Options that one after the other are right, and together say nothing.
  std::string contradiction() {
    if (std::string wrong = take_values(); !wrong.empty()) return wrong;
    const Action& action = *std::ranges::find(kActions, asked_.action, &Action::name);
    if (std::string wrong = wrong_place(action); !wrong.empty()) return wrong;
    if (std::string wrong = wrong_options(action); !wrong.empty()) return wrong;
    if (action.needs_target && asked_.target.empty()) return fmt::format("{} takes a URL", action.name);
    if (!action.takes_target && !asked_.target.empty()) return fmt::format("{} takes no URL", action.name);
    if (is_fresh_ && is_stale_) return "--fresh and --stale leave nothing";
    if (asked_.is_json && asked_.is_ndjson) return "--json and --ndjson at once";
    if (asked_.depth && !asked_.by.empty() && asked_.by != "path") return "--depth is of --by path";
    if (asked_.is_json && (asked_.count || interval_.has_value())) return "--json is one round of top";
    const int targets = int{!asked_.target.empty()} + int{!asked_.prefix.empty()} + int{!asked_.filter.tag.empty()} +
                        int{!asked_.group.empty()} + int{asked_.is_all};
    if (action.name == "purge" && targets != 1)
      return "purge takes a URL, or one of --prefix, --tag, --group and --all";
    return {};
  }

  std::string wrong_place(const Action& action) const {
    const bool is_attached = !asked_.socket.empty();
    const bool has_directory = !asked_.directory.empty();
    if (!is_attached && !has_directory) return "of whom? --attach SOCKET or --dir DIR";
    if (is_attached && has_directory && action.name != "stats") return "--attach and --dir go together for stats alone";
    if (is_attached && !action.attached) return fmt::format("{} is of a directory: --dir", action.name);
    if (has_directory && !action.directory) return fmt::format("{} is of a running proxy: --attach", action.name);
    if (is_attached && asked_.limit.value_or(1) > kAttachedMax)
      return fmt::format("--limit of a running proxy is {} at most", kAttachedMax);
    if (has_directory && asked_.sort == "hits") return "a directory knows no hits: --attach does";
    return {};
  }

  std::string wrong_options(const Action& action) const {
    const bool is_purge = action.name == "purge";
    const bool has_filter = asked_.has_filter || (!asked_.filter.tag.empty() && !is_purge);
    const std::pair<bool, std::pair<const char*, const char*>> given[] = {
        {has_filter, {"filter", "filters are"}},
        {!asked_.sort.empty(), {"sort", "--sort is"}},
        {asked_.limit.has_value(), {"limit", "--limit is"}},
        {asked_.is_json, {"json", "--json is"}},
        {asked_.is_ndjson, {"ndjson", "--ndjson is"}},
        {!asked_.headers.empty(), {"header", "--header is"}},
        {!asked_.output.empty(), {"output", "--output is"}},
        {!asked_.by.empty(), {"by", "--by is"}},
        {asked_.depth.has_value(), {"depth", "--depth is"}},
        {asked_.is_repair, {"repair", "--repair is"}},
        {!asked_.prefix.empty() || !asked_.group.empty() || asked_.is_all || asked_.is_soft,
         {"purge", "--prefix, --group, --all and --soft are"}},
        {interval_.has_value(), {"interval", "--interval is"}},
        {asked_.count.has_value(), {"count", "--count is"}},
    };
    const std::string known = fmt::format(" {} ", action.options);
    for (const auto& [is_given, option] : given) {
      const bool is_known = known.find(fmt::format(" {} ", option.first)) != known.npos;
      if (is_given && !is_known) return fmt::format("{} not for {}", option.second, action.name);
    }
    return {};
  }

  // What is written with units.
  std::string take_values() {
    cache::Filter& filter = asked_.filter;
    if (status_) filter.status = static_cast<std::uint16_t>(*status_);
    if (is_fresh_ || is_stale_) filter.is_fresh = is_fresh_;
    if (!min_size_.empty()) {
      const auto size = parse_byte_size(min_size_);
      if (!size) return fmt::format("--min-size: {} is no size such as 64KiB", min_size_);
      filter.size_min = size->bytes;
    }
    if (!min_age_.empty()) {
      const auto age = parse_duration(min_age_);
      if (!age) return fmt::format("--min-age: {} is no time such as 1h", min_age_);
      filter.age_min = age->count() / 1000;
    }
    if (interval_) {
      asked_.interval = parse_duration(*interval_);
      if (!asked_.interval || asked_.interval->count() == 0)
        return fmt::format("--interval: {} is no time such as 2s", *interval_);
    }
    for (const std::string& header : asked_.headers) {
      const auto colon = header.find(':');
      if (colon == 0 || colon == header.npos || header.find_first_of("\r\n") != header.npos)
        return fmt::format("\"{}\" is no header; write it as \"Accept: image/png\"", header);
    }
    asked_.has_filter = !filter.host.empty() || !filter.path.empty() || status_ || !filter.type.empty() || is_fresh_ ||
                        is_stale_ || !min_size_.empty() || !min_age_.empty();
    return {};
  }

  CacheQuestion asked_;
  std::optional<int> status_;
  bool is_fresh_ = false;
  bool is_stale_ = false;
  std::string min_size_;
  std::string min_age_;
  std::optional<std::string> interval_;
};

}  // namespace

int refuse_cache_inspect(const std::string& what) {
  fmt::print(stderr, "rproxy cache-inspect: {}\nRun `rproxy cache-inspect --help` for what it takes.\n", what);
  return kUsage;
}

int fail_cache_inspect(const std::string& what) {
  fmt::print(stderr, "rproxy cache-inspect: {}\n", what);
  return kRuntime;
}

std::unique_ptr<Command> make_cache_inspect(CLI::App& app) { return std::make_unique<CacheInspect>(app); }

}  // namespace rproxy::cli
