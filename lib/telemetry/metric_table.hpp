// The table of metrics: the single source of /metrics and of the documents about it. A new metric
// is a new row, in the place that its id says.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace cmlrec::telemetry {

enum class metric_type { counter, gauge, histogram };

const char* to_string(metric_type type);  // "counter"

// In the order of the rows.
enum class metric_id : std::size_t {
  passes,
  pass_duration,
  actions,
  api_calls,
  api_call_duration,
  api_retries,
  rate_limit_wait,
  circuit_open,
  project_state,
  project_in_sync,
  project_healthy,
  project_reachable,
  job_state,
  differences,
  unappliable,
  orphans,
  ambiguous,
  last_success,
  last_run_duration,
  runs,
  drift,
  suspended_jobs,
  config_reloads,
  config_last_reload_successful,
  config_last_reload_success,
  audit_failures,
  notifications,
  notify_queue,
  event_loop_lag,
  build_info,
  process_start_time,
  process_cpu,
  process_resident_memory,
  process_virtual_memory,
  process_open_fds,
  process_max_fds,
};

struct metric_row {
  metric_id id;
  std::string_view name;
  metric_type type;
  std::vector<std::string_view> labels;
  std::string_view help;
  std::vector<double> buckets;  // upper bounds, of a histogram
};

std::span<const metric_row> metric_table();
const metric_row& describe(metric_id id);

}  // namespace cmlrec::telemetry
