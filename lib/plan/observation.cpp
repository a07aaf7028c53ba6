#include "plan/observation.hpp"

#include <algorithm>

namespace cmlrec::plan {

void merge(run_history& history, const cml::run& run) {
  auto& runs = history.runs;
  std::erase_if(runs, [&](const cml::run& r) { return r.id == run.id; });
  const auto newer = [](const cml::run& a, const cml::run& b) {
    return a.created_at.value_or(core::timestamp::max()) >
           b.created_at.value_or(core::timestamp::max());
  };
  runs.insert(std::lower_bound(runs.begin(), runs.end(), run, newer), run);
}

core::timestamp calendar(const observation& seen, core::timestamp by_date_header) {
  auto newest = by_date_header;
  for (const auto& [id, history] : seen.histories) newest = calendar(history, newest);
  return newest;
}

core::timestamp calendar(const run_history& history, core::timestamp by_date_header) {
  auto newest = by_date_header;
  for (const auto& run : history.runs) {
    if (run.created_at) newest = std::max(newest, *run.created_at);
    if (run.finished_at) newest = std::max(newest, *run.finished_at);
  }
  return newest;
}

core::timestamp after_known_runs(const observation& seen, core::timestamp by_date_header) {
  std::optional<core::timestamp> newest;
  for (const auto& [id, history] : seen.histories)
    for (const auto& run : history.runs)
      if (run.created_at && (!newest || *run.created_at > *newest)) newest = run.created_at;
  return newest ? *newest + core::duration{1} : by_date_header;
}

std::vector<run_poll> runs_to_poll(const observation& seen) {
  std::vector<run_poll> out;
  for (const auto& [job_id, history] : seen.histories) {
    if (history.began.local >= seen.pass_began) continue;
    for (const auto& run : history.runs)
      if (!cml::is_finished(run.state)) out.push_back({job_id, run.id});
  }
  return out;
}

}  // namespace cmlrec::plan
