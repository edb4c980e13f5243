#include "http/date.h"

#include <cstring>

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

}  // namespace

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
