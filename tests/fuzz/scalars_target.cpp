#include "config/cron.hpp"
#include "config/scalars.hpp"
#include "core/time.hpp"
#include "fuzz/support.hpp"
#include "fuzz/targets.hpp"

#include <cmath>

namespace cmlrec::fuzz {
namespace {

void check_times(std::string_view text) {
  if (const auto at = core::parse_timestamp(text)) {
    const auto shown = core::format_timestamp(*at);
    require(core::parse_timestamp(shown) == at, "a timestamp is read as it was written: " + shown);
  }
  if (const auto length = core::parse_duration(text)) {
    require(*length >= core::duration::zero(), "no duration is negative");
    require(*length <= std::chrono::hours{24 * 366 * 10}, "no duration is longer than 10 years");
    require(core::parse_duration(std::to_string(length->count()) + "ms") == length,
            "a duration is read as it was written");
    require(!core::format_duration(*length).empty(), "a duration can be shown");
  }
}

void check_cron(std::string_view text) {
  const auto wrong = config::cron_error(text);
  if (!wrong) {
    require(!text.empty(), "a schedule says something");
    return;
  }
  require(!wrong->empty(), "a bad schedule gets a reason");
  require(wrong->size() < 400, "a reason quotes no more than a piece");
}

void check_numbers(std::string_view text) {
  if (const auto whole = config::parse_integer(text))
    require(config::parse_integer(std::to_string(*whole)) == whole, "a whole number stays itself");
  if (const auto number = config::parse_number(text)) {
    require(std::isfinite(*number), "a number is finite");
    const auto shown = config::format_number(*number);
    const auto again = config::parse_number(shown);
    require(again.has_value(), "a number that was written can be read: " + shown);
  }
}

// What a POSIX shell makes of a word in single quotes, or of one that needs none.
std::string unquoted(std::string_view word) {
  std::string out;
  bool inside = false;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (word[i] == '\'') {
      inside = !inside;
    } else if (!inside && word[i] == '\\' && i + 1 < word.size()) {
      out += word[++i];
    } else {
      require(inside || std::string_view(" \t\n|&;<>()$`\"*?[#~!").find(word[i]) ==
                            std::string_view::npos,
              "outside of quotes there is nothing that a shell takes for its own");
      out += word[i];
    }
  }
  require(!inside, "quotes are closed");
  return out;
}

}  // namespace

void scalars(std::string_view bytes) {
  check_times(bytes);
  check_cron(bytes);
  check_numbers(bytes);
  const auto truth = config::parse_boolean(bytes);
  require(!truth || bytes.size() <= 5, "a truth value is one of the known words");
  const auto word = config::shell_quote(bytes);
  require(!word.empty() && unquoted(word) == bytes, "a quoted word stands for itself");
}

}  // namespace cmlrec::fuzz
