// The commands that talk to CML. Each returns the exit code of the process.
#pragma once

#include <string>

#include "config/desired.hpp"
#include "config/load.hpp"
#include "config/settings.hpp"
#include "daemon/command_line.hpp"

namespace cmlrec::daemon {

int run_daemon(const command_line& line, config::settings settings, config::desired_state desired,
               const std::string& version);
// `apply`, and `plan` with dry = true. `json`: what stdout gets.
int apply_once(const config::settings& settings, const config::desired_state& desired, bool dry,
               bool json, const std::string& version);
// `import`: `project` is a name or an id.
int import_live_project(const config::settings& settings, const std::string& project,
                        const std::string& version);

// `validate`: prints what was found.
int tell_validity(const config::loaded& loaded, const std::string& file, bool json);

// `status`, `explain`, `force`, `retry`, `suspend` and `resume`: ask the daemon that is running.
int ask_running_daemon(const command_line& line);

// `health`: one line on stdout. Only 0 and 1, which is what container engines understand.
int check_health(const command_line& line);

}  // namespace cmlrec::daemon
