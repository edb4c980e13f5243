#include "http/date.h"

#include <algorithm>
#include <cstring>

#include "http/characters.h"
#include "http/fields.h"

namespace rproxy::http {
namespace {

constexpr std::string_view kDays = "SunMonTueWedThuFriSat";
constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";

char* put_two(char* out, unsigned value) {
  *out++ = static_cast<char>('0' + value / 10);
  *out++ = static_cast<char>('0' + value % 10);
  return out;
}

char* put_name(char* out, std::string_view names, unsigned index) {
  std::memcpy(out, names.data() + std::size_t{index} * 3, 3);
  return out + 3;
}

// Takes what a date is made of from its front; `ok` says whether all of it was there.
struct DateReader {
  std::string_view rest;
  bool ok = true;

  int digits(std::size_t count) {
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const char c = next();
      ok = ok && c >= '0' && c <= '9';
      value = value * 10 + (c - '0');
    }
    return value;
  }
  void literal(std::string_view text) {
    ok = ok && rest.size() >= text.size() && equals_ignoring_case(rest.substr(0, text.size()), text);
    rest.remove_prefix(std::min(text.size(), rest.size()));
  }
  // Its index among the names.
  int name(std::string_view names) {
    const auto text = rest.substr(0, 3);
    rest.remove_prefix(text.size());
    for (std::size_t i = 0; text.size() == 3 && i < names.size(); i += 3) {
      if (equals_ignoring_case(names.substr(i, 3), text)) return static_cast<int>(i / 3);
    }
    ok = false;
    return 0;
  }
  // "Monday" and the like, of which three letters have been read.
  void rest_of_day(int day) {
    static constexpr std::string_view kRests[] = {"day", "day", "sday", "nesday", "rsday", "day", "urday"};
    literal(kRests[day]);
  }
  char next() {
    if (rest.empty()) return '\0';
    const char c = rest.front();
    rest.remove_prefix(1);
    return c;
  }
};

struct Clockwork {
  int hour = 0, minute = 0, second = 0;

  void read(DateReader& in) {
    hour = in.digits(2);
    in.literal(":");
    minute = in.digits(2);
    in.literal(":");
    second = in.digits(2);
    in.ok = in.ok && hour < 24 && minute < 60 && second <= 60;
  }
};

}  // namespace

std::optional<std::int64_t> parse_date(std::string_view text, std::int64_t now) {
  using namespace std::chrono;
  DateReader in{text};
  Clockwork clock;
  int date = 0;
  int month = 0;
  int in_year = 0;
  const int weekday = in.name(kDays);
  if (in.rest.starts_with(", ")) {  // IMF-fixdate
    in.literal(", ");
    date = in.digits(2);
    in.literal(" ");
    month = in.name(kMonths);
    in.literal(" ");
    in_year = in.digits(4);
    in.literal(" ");
    clock.read(in);
    in.literal(" GMT");
  } else if (in.rest.starts_with(' ')) {  // asctime
    in.literal(" ");
    month = in.name(kMonths);
    in.literal(" ");
    if (in.rest.starts_with(' ')) {
      in.literal(" ");
      date = in.digits(1);
    } else {
      date = in.digits(2);
    }
    in.literal(" ");
    clock.read(in);
    in.literal(" ");
    in_year = in.digits(4);
  } else {  // RFC 850
    in.rest_of_day(weekday);
    in.literal(", ");
    date = in.digits(2);
    in.literal("-");
    month = in.name(kMonths);
    in.literal("-");
    const int short_year = in.digits(2);
    in.literal(" ");
    clock.read(in);
    in.literal(" GMT");
    const year_month_day today{floor<days>(sys_seconds{seconds(now)})};
    const int latest = static_cast<int>(today.year()) + 50;
    in_year = latest - latest % 100 + short_year;
    if (in_year > latest) in_year -= 100;
  }
  const year_month_day day{year(in_year), std::chrono::month(static_cast<unsigned>(month) + 1),
                           std::chrono::day(static_cast<unsigned>(date))};
  if (!in.ok || !in.rest.empty() || !day.ok()) return std::nullopt;
  return sys_seconds{sys_days{day} + hours(clock.hour) + minutes(clock.minute) + seconds(clock.second)}
      .time_since_epoch()
      .count();
}

void write_date(char* out, std::int64_t seconds) {
  using namespace std::chrono;
  const sys_seconds time{std::chrono::seconds(seconds)};
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{time - day};
  out = put_name(out, kDays, weekday{day}.c_encoding());
  *out++ = ',';
  *out++ = ' ';
  out = put_two(out, static_cast<unsigned>(date.day()));
  *out++ = ' ';
  out = put_name(out, kMonths, static_cast<unsigned>(date.month()) - 1);
  *out++ = ' ';
  const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
  out = put_two(put_two(out, year / 100), year % 100);
  *out++ = ' ';
  out = put_two(out, static_cast<unsigned>(clock.hours().count()));
  *out++ = ':';
  out = put_two(out, static_cast<unsigned>(clock.minutes().count()));
  *out++ = ':';
  out = put_two(out, static_cast<unsigned>(clock.seconds().count()));
  std::memcpy(out, " GMT", 4);
}

std::string_view DateCache::at(std::chrono::system_clock::time_point time) {
  using namespace std::chrono;
  const std::int64_t second = floor<seconds>(time).time_since_epoch().count();
  if (second != second_) {
    second_ = second;
    write_date(text_.data(), second);
  }
  return {text_.data(), text_.size()};
}

}  // namespace rproxy::http
