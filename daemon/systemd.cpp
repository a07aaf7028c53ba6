#include "daemon/systemd.hpp"

#include <cstdint>
#include <cstdlib>
#include <time.h>

#include <systemd/sd-daemon.h>

namespace cmlrec::daemon::systemd {
namespace {

// A line of `systemctl status`; more than this is cut.
constexpr std::size_t longest_status = 400;

// The protocol is lines of NAME=VALUE: a line break in a text would begin another assignment.
std::string one_line(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    if (!control)
      out += c;
    else if (!out.empty() && out.back() != ' ')
      out += ' ';
  }
  if (out.size() <= longest_status) return out;
  auto end = longest_status;
  // Not in the middle of a character of UTF-8: systemd drops a text that is not valid.
  while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xc0U) == 0x80U) --end;
  return out.substr(0, end) + "...";
}

}  // namespace

void ready(const std::string& text) { sd_notify(0, ("READY=1\nSTATUS=" + one_line(text)).c_str()); }

void reloading() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const auto usec = static_cast<std::uint64_t>(now.tv_sec) * 1'000'000U +
                    static_cast<std::uint64_t>(now.tv_nsec) / 1000U;
  sd_notify(0, ("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(usec)).c_str());
}

void stopping(const std::string& text) {
  sd_notify(0, ("STOPPING=1\nSTATUS=" + one_line(text)).c_str());
}

void status(const std::string& text) { sd_notify(0, ("STATUS=" + one_line(text)).c_str()); }

void watchdog_ping() { sd_notify(0, "WATCHDOG=1"); }

std::optional<core::duration> watchdog_interval() {
  std::uint64_t usec = 0;
  if (sd_watchdog_enabled(0, &usec) <= 0) return std::nullopt;
  return core::duration{static_cast<core::duration::rep>(usec / 1000)};
}

bool logs_to_journal() { return std::getenv("JOURNAL_STREAM") != nullptr; }

}  // namespace cmlrec::daemon::systemd
