// The notification protocol of systemd; without it (NOTIFY_SOCKET unset) every call does nothing.
#pragma once

#include <optional>
#include <string>

#include "core/time.hpp"

namespace cmlrec::daemon::systemd {

void ready(const std::string& status);
void reloading();  // followed by ready()
void stopping(const std::string& status);
void status(const std::string& text);
void watchdog_ping();
// How often systemd wants a ping at the latest; nothing: not at all.
std::optional<core::duration> watchdog_interval();
// Whether stderr goes to the journal, which reads "<6>" priorities.
bool logs_to_journal();

}  // namespace cmlrec::daemon::systemd
