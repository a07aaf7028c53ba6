// What the process ends with; scripts rely on it.
#pragma once

namespace cmlrec::daemon {

enum exit_code : int {
  done = 0,
  failed = 1,
  would_change = 2,  // `plan` alone
  bad_input = 3,     // the file, a flag, a setting
  refused = 4,       // by CML: credentials
  unreachable = 5,   // or out of time
};

}  // namespace cmlrec::daemon
