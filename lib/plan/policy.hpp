// The times and limits that the rules go by. Defaults are the design's.
#pragma once

#include "core/time.hpp"

namespace cmlrec::plan {

struct policy {
  core::duration interval = std::chrono::seconds{60};
  core::duration runs_refresh = std::chrono::minutes{10};  // 0: never
  core::duration write_settle = std::chrono::seconds{35};
  core::duration clone_settle = std::chrono::minutes{2};
  core::duration child_start_grace = std::chrono::seconds{60};
  core::duration scheduling_deadline = std::chrono::minutes{10};
  core::duration overdue_margin = std::chrono::minutes{5};
  core::duration verify_deadline = std::chrono::minutes{15};
  // CML stamps a child's creation and its parent's end on different machines.
  core::duration freshness_tolerance = std::chrono::seconds{10};
  bool stop_overdue = false;
  int max_runs_per_hour = 6;
};

// While something is in flight: after 1 s, then at 10% of the time it has taken, at most 10 s.
core::duration poll_after(core::duration running_for);
// After the n-th refusal of one write (n from 1): 5 s, doubling, at most 5 min.
core::duration refusal_wait(int count);
// After the n-th failed run (n from 1): backoff, doubling, at most max_backoff.
core::duration retry_wait(int failures, core::duration backoff, core::duration max_backoff);

}  // namespace cmlrec::plan
