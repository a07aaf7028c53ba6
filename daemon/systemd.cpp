#include "daemon/systemd.hpp"

#include <systemd/sd-daemon.h>
#include <time.h>

#include <cstdint>
#include <cstdlib>

namespace cmlrec::daemon::systemd {

void ready(const std::string& text) {
  sd_notify(0, ("READY=1\nSTATUS=" + text).c_str());
}

void reloading() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const auto usec = static_cast<std::uint64_t>(now.tv_sec) * 1'000'000U +
                    static_cast<std::uint64_t>(now.tv_nsec) / 1000U;
  sd_notify(0, ("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(usec)).c_str());
}

void stopping(const std::string& text) {
  sd_notify(0, ("STOPPING=1\nSTATUS=" + text).c_str());
}

void status(const std::string& text) { sd_notify(0, ("STATUS=" + text).c_str()); }

void watchdog_ping() { sd_notify(0, "WATCHDOG=1"); }

std::optional<core::duration> watchdog_interval() {
  std::uint64_t usec = 0;
  if (sd_watchdog_enabled(0, &usec) <= 0) return std::nullopt;
  return core::duration{static_cast<core::duration::rep>(usec / 1000)};
}

bool logs_to_journal() { return std::getenv("JOURNAL_STREAM") != nullptr; }

}  // namespace cmlrec::daemon::systemd
