// The statuses that a check takes for an answer: "200-299,304", "2xx".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rproxy::upstream {

class StatusSet {
 public:
  // 200 to 299.
  StatusSet() = default;
  // Numbers from 100 to 599, ranges of them and "2xx", with commas between; nothing for anything else.
  static std::optional<StatusSet> parse(std::string_view text);

  bool contains(std::uint16_t status) const;
  std::string to_string() const;  // "200-299,304"
  bool operator==(const StatusSet&) const = default;

 private:
  struct Range {
    std::uint16_t first;
    std::uint16_t last;
    bool operator==(const Range&) const = default;
  };
  static std::optional<Range> parse_range(std::string_view text);

  std::vector<Range> ranges_{{200, 299}};
};

}  // namespace rproxy::upstream
