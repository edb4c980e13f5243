#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/units.h"
#include "cli/admin_client.h"
#include "cli/cache_table.h"
#include "cli/command.h"
#include "cli/output.h"

namespace rproxy::cli {
namespace {

using Json = nlohmann::ordered_json;

class CacheInspect final : public Command {
 public:
  explicit CacheInspect(CLI::App& app) {
    auto* command = app.add_subcommand("cache-inspect", "Look into a running proxy's cache, and purge it");
    command->add_option("action", action_, "stats, list, top, show or purge")
        ->required()
        ->type_name("ACTION")
        ->check(CLI::IsMember({"stats", "list", "top", "show", "purge"}).description(""));
    command->add_option("url", url_, "What to show, or to purge")->type_name("URL");
    command->add_option("--attach", socket_, "The proxy's admin socket")->type_name("SOCKET")->required();
    command->add_flag("--json", json_, "As JSON");
    command->add_option("--host", host_, "Of list: only this host")->type_name("HOST");
    command->add_option("--path", path_, "Only such paths, as \"/images/*\"")->type_name("GLOB");
    command->add_option("--status", status_, "Only this status")->type_name("CODE")->check(CLI::Range(100, 599));
    command->add_option("--type", type_, "Only such content, as \"image/*\"")->type_name("GLOB");
    command->add_option("--tag", tag_, "Only with this tag; of purge: all with it")->type_name("TAG");
    command->add_flag("--fresh", fresh_, "Only what is fresh");
    command->add_flag("--stale", stale_, "Only what is stale");
    command->add_option("--min-size", min_size_, "Only as large as that, as 64KiB")->type_name("SIZE");
    command->add_option("--min-age", min_age_, "Only as old as that, as 1h")->type_name("TIME");
    command->add_option("--sort", sort_, "url, size, age or hits")
        ->type_name("BY")
        ->check(CLI::IsMember({"url", "size", "age", "hits"}).description(""));
    command->add_option("--limit", limit_, "How many are listed (100)")->type_name("N")->check(CLI::Range(1, 10'000));
    command->add_option("--prefix", prefix_, "Of purge: all URLs that begin so")->type_name("URL");
    command->add_option("--group", group_, "Of purge: \"ORIGIN NAME\" (RFC 9875)")->type_name("GROUP");
    command->add_flag("--all", all_, "Of purge: everything");
    command->add_flag("--soft", soft_, "Of purge: make it stale, don't remove it");
    command->footer("Exit codes: 0 done, 1 nothing is stored of it or nobody answers, 2 usage.");
  }

  int run() override {
    if (const std::string wrong = contradiction(); !wrong.empty()) return usage(wrong);
    if (action_ == "stats") return tell("GET", "/cache", {}, cache_stats_table);
    if (action_ == "show") return tell("POST", "/cache/show", {{"url", url_}}, cache_objects_text);
    if (action_ == "purge") return purge();
    return list();
  }

 private:
  using Table = std::function<std::string(const Json&)>;

  std::string contradiction() const {
    const bool is_list = action_ == "list" || action_ == "top";
    const bool has_filter = !host_.empty() || !path_.empty() || status_ || !type_.empty() || fresh_ || stale_ ||
                            !min_size_.empty() || !min_age_.empty() || !sort_.empty() || limit_;
    if (has_filter && !is_list) return fmt::format("filters are for list and top, not for {}", action_);
    if ((!prefix_.empty() || !group_.empty() || all_ || soft_) && action_ != "purge") {
      return fmt::format("--prefix, --group, --all and --soft are for purge, not for {}", action_);
    }
    if (action_ == "show" && url_.empty()) return "show takes a URL";
    if (!url_.empty() && action_ != "show" && action_ != "purge") return fmt::format("{} takes no URL", action_);
    if (fresh_ && stale_) return "--fresh and --stale leave nothing";
    if (!tag_.empty() && action_ != "purge" && !is_list) return "--tag is for list, top and purge";
    const int targets =
        int{!url_.empty()} + int{!prefix_.empty()} + int{!tag_.empty()} + int{!group_.empty()} + int{all_};
    if (action_ == "purge" && targets != 1) return "purge takes a URL, or one of --prefix, --tag, --group and --all";
    return {};
  }

  int list() const {
    Json asked = Json::object();
    const auto add = [&](const char* name, const std::string& value) {
      if (!value.empty()) asked[name] = value;
    };
    add("host", host_);
    add("path", path_);
    add("type", type_);
    add("tag", tag_);
    if (status_) asked["status"] = *status_;
    if (fresh_ || stale_) asked["fresh"] = fresh_;
    if (!min_size_.empty()) {
      const auto size = parse_byte_size(min_size_);
      if (!size) return usage(fmt::format("--min-size: {} is no size such as 64KiB", min_size_));
      asked["min_size"] = size->bytes;
    }
    if (!min_age_.empty()) {
      const auto age = parse_duration(min_age_);
      if (!age) return usage(fmt::format("--min-age: {} is no time such as 1h", min_age_));
      asked["min_age"] = age->count() / 1000;
    }
    const std::string usual = action_ == "top" ? "hits" : "url";
    asked["sort"] = sort_.empty() ? usual : sort_;
    if (limit_) asked["limit"] = *limit_;
    if (!limit_ && action_ == "top") asked["limit"] = kTop;
    return tell("POST", "/cache/list", asked, cache_list_table);
  }

  int purge() const {
    Json asked{{"soft", soft_}};
    if (!url_.empty()) asked["url"] = url_;
    if (!prefix_.empty()) asked["prefix"] = prefix_;
    if (!tag_.empty()) asked["tag"] = tag_;
    if (!group_.empty()) asked["group"] = group_;
    if (all_) asked["all"] = true;
    return tell("POST", "/cache/purge", asked, [](const Json& done) {
      return fmt::format("{} answers {}\n", done.value("purged", 0),
                         done.value("soft", false) ? "made stale" : "removed");
    });
  }

  int tell(const char* method, const char* path, const Json& asked, const Table& table) const {
    const auto answer = ask_admin(socket_, method, path, asked.is_null() ? std::string() : asked.dump());
    if (!answer) return failed(answer.error().context);
    const Json told = Json::parse(answer->content, nullptr, false);
    if (told.is_discarded()) return failed(socket_ + ": what came is not JSON");
    if (answer->status != 200) return failed(told.value("detail", fmt::format("status {}", answer->status)));
    write_output(json_ ? told.dump(2) + "\n" : table(told));
    return kOk;
  }

  static int failed(const std::string& what) {
    fmt::print(stderr, "rproxy cache-inspect: {}\n", what);
    return kRuntime;
  }
  static int usage(const std::string& what) {
    fmt::print(stderr, "rproxy cache-inspect: {}\n", what);
    return kUsage;
  }

  static constexpr int kTop = 20;
  std::string action_;
  std::string url_;
  std::string socket_;
  bool json_ = false;
  std::string host_;
  std::string path_;
  std::optional<int> status_;
  std::string type_;
  std::string tag_;
  bool fresh_ = false;
  bool stale_ = false;
  std::string min_size_;
  std::string min_age_;
  std::string sort_;
  std::optional<int> limit_;
  std::string prefix_;
  std::string group_;
  bool all_ = false;
  bool soft_ = false;
};

}  // namespace

std::unique_ptr<Command> make_cache_inspect(CLI::App& app) { return std::make_unique<CacheInspect>(app); }

}  // namespace rproxy::cli
