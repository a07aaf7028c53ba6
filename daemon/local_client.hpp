// Asks the daemon that runs on this machine: over its control socket or its address. Blocking, with a
// deadline; for commands, not for the daemon itself.
#pragma once

#include <string>

#include "core/secret.hpp"
#include "core/time.hpp"

namespace cmlrec::daemon {

struct local_endpoint {
  std::string socket_path;  // empty: by `listen`
  std::string listen;       // ADDRESS:PORT; an address that means "all" is asked on loopback
};

struct local_request {
  std::string method = "GET";
  std::string path;
  std::string body;
  core::secret token;  // empty: none is sent
};

struct local_answer {
  int status = 0;       // 0: there was no answer, and `trouble` says why
  std::string body;
  std::string trouble;
  std::string where;    // "127.0.0.1:9464", "/run/…/control.sock"
};

// Never throws, and ends within `patience`.
local_answer ask_daemon(const local_endpoint& at, const local_request& what,
                        core::duration patience);

}  // namespace cmlrec::daemon
