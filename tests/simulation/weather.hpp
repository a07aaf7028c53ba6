// The faults of the way between the daemon and CML: drawn per call, counted by kind.
#pragma once

#include "core/error.hpp"
#include "simulation/kernel.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <vector>

namespace cmlrec::simulation {

enum class fault : std::size_t {
  none,
  slow,                 // up to 35 s, and right
  lost_before,          // never arrives
  lost_after,           // is done; the answer is lost
  late_commit,          // a 500 of the gateway; done up to 30 s after it was sent
  server_error,         // 5xx, not done
  server_error_done,    // 5xx, done all the same
  throttled,            // 429
  throttled_with_wait,  // 429 with Retry-After
  html,                 // a login page
  truncated,            // done; half of the answer
  hang,                 // until the deadline; may be done meanwhile
  circuit_open,         // not sent
  key_refused,          // 401
  page_fails,           // of a list, after the first
  token_repeats,        // of a list
  count
};
inline constexpr auto fault_kinds = static_cast<std::size_t>(fault::count);
const char* to_string(fault kind);

struct fate {
  fault kind = fault::none;
  std::optional<core::duration> served_after;  // nothing: never
  core::duration answered_after{0};
  std::optional<core::error> error;  // nothing: what was served
};

class weather {
 public:
  explicit weather(random_source random) : random_(random) {}

  // `left`: until the call's deadline. `page`: of a list, from 0.
  fate draw(bool write, bool list, int page, core::duration left);
  void clear_up() { rate = 0; }

  double rate = 0;           // of calls that something happens to
  std::vector<fault> kinds;  // that do happen; empty: all
  std::array<std::size_t, fault_kinds> counts{};

 private:
  fault pick(bool write, bool list, int page);
  random_source random_;
};

}  // namespace cmlrec::simulation
