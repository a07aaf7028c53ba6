// How everything stands, in one line: for systemd's STATUS.
#pragma once

#include "core/time.hpp"
#include "plan/report.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace cmlrec::daemon {

struct refused_reload {
  std::string why;
  core::timestamp running_since{};  // when the file that is still in force was taken
};

// "ray-cluster: Progressing; git_sync: running for 40 s (timeout 5 min)", or, of several projects,
// how many are in which state and what troubles the first that is in trouble. `restart_needed`:
// settings of the newest file that act at the next start.
std::string status_line(const std::map<std::string, plan::project_report>& reports,
                        const std::optional<refused_reload>& refused,
                        const std::vector<std::string>& restart_needed = {});

}  // namespace cmlrec::daemon
