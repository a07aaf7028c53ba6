// `health`: asks a running daemon on this machine how it is, for container engines and scripts.
#pragma once

#include "config/settings.hpp"
#include "core/time.hpp"

#include <string>

namespace cmlrec::daemon {

struct health_answer {
  bool good = false;
  std::string line;  // one line for people
};

// GET /healthz, or /readyz with `ready`, of the daemon that listens on `listen` (ADDRESS:PORT; an
// address that means "all" is asked on loopback). Never throws, and ends within `patience`.
health_answer ask_health(const std::string& listen, bool ready, core::duration patience);

}  // namespace cmlrec::daemon
