// "info,http=debug": the least severe messages that are logged, and other ones for parts of the
// daemon.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace cmlrec::config {

// A part of the daemon, by what its events are about.
struct log_part {
  std::string_view name;
  std::string_view help;
  // An event is of the part that has the first word of its name, up to the first dot; one that no
  // part has is of the last row.
  std::string_view words;  // with a space before and after each
};
std::span<const log_part> log_parts();
// Of an event's name: "circuit.opened" is of "cml".
std::string_view part_of(std::string_view event);

struct log_levels {
  std::string general = "info";
  std::map<std::string, std::string, std::less<>> parts;
  friend bool operator==(const log_levels&, const log_levels&) = default;
};

// LEVEL, or PART=LEVEL, with commas between them, in any order. Nothing, with the reason and what
// was expected in `why`, for any other text.
std::optional<log_levels> parse_log_levels(std::string_view text, std::string& why);

}  // namespace cmlrec::config
