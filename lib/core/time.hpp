// Time as values. Two clocks are told apart by type, so that they cannot be mixed: `timestamp` is a
// point on the calendar (CML's stamps), `instant` a point on this process's steady clock
// (deadlines).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace cmlrec::core {

using duration = std::chrono::milliseconds;
using timestamp = std::chrono::sys_time<duration>;

// A clock only as a tag: it has no now(), which is core::clock's.
struct monotonic {};
using instant = std::chrono::time_point<monotonic, duration>;

// RFC 3339 with any number of fractional digits and an offset or Z ("2026-01-02T03:04:05.678901Z").
// A date alone means its midnight UTC. Nothing for any other text, nor for a moment that lies
// outside of the years 0000 to 9999 in UTC.
std::optional<timestamp> parse_timestamp(std::string_view text);
// "2026-01-02T03:04:05.678Z"
std::string format_timestamp(timestamp at);

// The three HTTP forms are not all met: IMF-fixdate only ("Sun, 06 Nov 1994 08:49:37 GMT").
std::optional<timestamp> parse_http_date(std::string_view text);
std::string format_http_date(timestamp at);

// "90", "90s", "1.5h", "2m30s", "500ms", "1d": a number without a unit is in seconds. Nothing for
// negative, empty, unknown units, or more than 10 years.
std::optional<duration> parse_duration(std::string_view text);
// For metrics.
inline double in_seconds(duration d) { return std::chrono::duration<double>(d).count(); }
// For people, at most two units: "40 s", "5 min", "1 h 20 min", "350 ms"
std::string format_duration(duration d);

}  // namespace cmlrec::core
