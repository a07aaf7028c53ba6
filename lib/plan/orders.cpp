#include "plan/orders.hpp"

#include "plan/graph.hpp"

#include <algorithm>
#include <unordered_map>

namespace cmlrec::plan {

bool note_order(project_memory& memory, const order& o, moment now) {
  switch (o.what) {
    case order::kind::force:
      memory.requested_at = now.local;
      if (o.job == nullptr)
        memory.force_requested = true;
      else
        memory.jobs_to_force.insert(o.job->key);
      return false;
    case order::kind::retry:
      memory.requested_at = now.local;
      if (o.job == nullptr)
        memory.retry_requested = true;
      else
        memory.jobs_to_retry.insert(o.job->key);
      return false;
    case order::kind::suspend: {
      auto& held = o.job ? memory.jobs[o.job->name].suspended : memory.suspended;
      const bool anew = active(held, now.cml) == nullptr;
      held = o.held;
      return anew;
    }
    case order::kind::resume:
      if (o.job) {
        memory.jobs[o.job->name].suspended.reset();
        return false;
      }
      memory.suspended.reset();
      for (auto& [name, job] : memory.jobs) job.suspended.reset();
      return false;
  }
  return false;
}

void stamp_force(project_memory& memory, const config::project_spec& wanted,
                 const observation& seen, moment now) {
  if (!memory.force_requested && memory.jobs_to_force.empty()) return;
  const auto at = after_known_runs(seen, now.cml);
  if (memory.force_requested) memory.force_at = at;
  for (const auto& job : wanted.jobs)
    if (memory.jobs_to_force.contains(job.key)) memory.jobs[job.name].force_at = at;
  memory.force_requested = false;
  memory.jobs_to_force.clear();
}

std::unordered_set<std::string_view> asked_of(const project_memory& memory,
                                              const config::project_spec& wanted) {
  std::unordered_set<std::string_view> out;
  const bool all = memory.force_requested || memory.retry_requested;
  if (!all && memory.jobs_to_force.empty() && memory.jobs_to_retry.empty()) return out;
  for (const auto& job : wanted.jobs)
    if (all || memory.jobs_to_force.contains(job.key) || memory.jobs_to_retry.contains(job.key))
      out.insert(job.name);
  if (all || memory.jobs_to_force.empty()) return out;
  const job_graph graph(wanted.jobs);
  for (const auto& key : memory.jobs_to_force)
    if (const auto* job = graph.find(key))
      for (const auto* below : graph.descendants(*job)) out.insert(below->name);
  return out;
}

bool has_requests(const project_memory& memory, const config::project_spec& wanted,
                  const observation& seen) {
  if (!memory.force_requested && memory.jobs_to_force.empty() && !memory.retry_requested &&
      memory.jobs_to_retry.empty())
    return false;
  if (!seen.jobs) return false;
  const auto asked = asked_of(memory, wanted);
  std::unordered_map<std::string_view, int> ours;  // how often a name is there
  for (const auto& job : wanted.jobs) ours[job.name] = 0;
  for (const auto& live : *seen.jobs)
    if (const auto found = ours.find(live.name); found != ours.end()) ++found->second;
  return std::all_of(seen.jobs->begin(), seen.jobs->end(), [&](const cml::job& live) {
    const auto found = ours.find(live.name);
    // The runs of what is ambiguous are not read: nothing is done to it.
    if (found == ours.end() || found->second > 1) return true;
    const auto history = seen.histories.find(live.id);
    if (history == seen.histories.end()) return false;
    return !asked.contains(live.name) || !memory.requested_at ||
           history->second.began.local >= *memory.requested_at;
  });
}

namespace {

template <class Asked>
void stamp_attempts_of(project_memory& memory, const config::project_spec& wanted,
                       const observation& seen, const Asked& asked) {
  if (!seen.jobs) return;
  std::unordered_set<std::string_view> names;
  for (const auto& job : wanted.jobs)
    if (asked(job)) names.insert(job.name);
  for (const auto& live : *seen.jobs) {
    const auto history = seen.histories.find(live.id);
    if (!names.contains(live.name) || history == seen.histories.end()) continue;
    for (const auto& run : history->second.runs) {
      if (!cml::is_finished(run.state) || !run.created_at) continue;
      memory.jobs[live.name].attempts_from = *run.created_at + core::duration{1};
      break;  // the newest one
    }
  }
}

}  // namespace

void stamp_attempts(project_memory& memory, const config::project_spec& wanted,
                    const observation& seen) {
  stamp_attempts_of(memory, wanted, seen, [](const config::job_spec&) { return true; });
}

void stamp_retries(project_memory& memory, const config::project_spec& wanted,
                   const observation& seen) {
  stamp_attempts_of(memory, wanted, seen, [&](const config::job_spec& job) {
    return memory.retry_requested || memory.jobs_to_retry.contains(job.key);
  });
  memory.retry_requested = false;
  memory.jobs_to_retry.clear();
}

}  // namespace cmlrec::plan
