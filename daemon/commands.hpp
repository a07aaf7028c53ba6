// The commands that talk to CML. Each returns the exit code of the process.
#pragma once

#include <string>

#include "config/desired.hpp"
#include "config/settings.hpp"
#include "daemon/command_line.hpp"

namespace cmlrec::daemon {

int run_daemon(const command_line& line, config::settings settings, config::desired_state desired,
               const std::string& version);
// `apply`, and `plan` with dry = true.
int apply_once(const config::settings& settings, const config::desired_state& desired, bool dry,
               const std::string& version);

// `status`, `explain`, `force`, `retry`, `suspend` and `resume`: ask the daemon that is running.
int ask_running_daemon(const command_line& line);

// `health`: one line on stdout. Only 0 and 1, which is what container engines understand.
int check_health(const command_line& line);

}  // namespace cmlrec::daemon
