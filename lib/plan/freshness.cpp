#include "plan/freshness.hpp"

#include "plan/diff.hpp"

#include <algorithm>

namespace cmlrec::plan {
namespace {

core::timestamp began(const cml::run& run) {
  return run.created_at.value_or(core::timestamp::min());
}

core::timestamp ended(const cml::run& run) { return run.finished_at.value_or(began(run)); }

// Empty where the success meets every demand, else the first that it does not meet.
std::string shortcoming(const cml::run& run, const demands& asked, const policy& rules) {
  if (asked.forced_at && began(run) < *asked.forced_at) return asked.forced_because;
  if (asked.rerun_after && began(run) < *asked.rerun_after)
    return "rerun_after is " + core::format_timestamp(*asked.rerun_after) +
           ", after its newest success began";
  if (asked.parent_success && began(run) + rules.freshness_tolerance < *asked.parent_success)
    return "its parent " + asked.parent_key + " has succeeded since";
  if (!asked.spec_hash.empty()) {
    const auto mark = run.environment.find(spec_mark);
    if (mark != run.environment.end()) {
      if (mark->second.value != asked.spec_hash) return "its definition has changed since";
    } else if (asked.defined_at && began(run) < *asked.defined_at) {
      return "its definition was changed after its newest success began";
    }
  }
  return {};
}

bool failed(const cml::run& run, const job_memory& memory) {
  return run.state == cml::run_state::failed || run.state == cml::run_state::timed_out ||
         (run.state == cml::run_state::stopped && memory.stopped_by_us.contains(run.id));
}

}  // namespace

run_facts examine(const run_history& history, const demands& asked,
                  std::optional<core::timestamp> attempts_from, const job_memory& memory,
                  const std::string& username, const policy& rules, core::timestamp now) {
  run_facts facts;
  bool newest = true;
  bool counting_failures = true;
  int seen_starts = 0;
  for (const auto& run : history.runs) {
    // Skipped means that CML was busy with another run: no outcome at all.
    if (run.state == cml::run_state::skipped) continue;
    if (began(run) + std::chrono::hours{1} > now &&
        (run.creator.empty() || username.empty() || run.creator == username)) {
      ++seen_starts;
      facts.oldest_start = began(run);
    }
    if (!cml::is_finished(run.state)) {
      // A status that nobody knows is active only while nothing newer is there: one active run
      // per job is all that CML allows.
      if (facts.active == nullptr && (newest || run.state != cml::run_state::unknown))
        facts.active = &run;
      newest = false;
      continue;
    }
    newest = false;
    if (facts.newest_finished == nullptr) {
      facts.newest_finished = &run;
      facts.stopped = run.state == cml::run_state::stopped &&
                      !memory.stopped_by_us.contains(run.id) &&
                      (!attempts_from || began(run) >= *attempts_from);
    }
    if (run.state == cml::run_state::succeeded) {
      counting_failures = false;
      if (facts.newest_success == nullptr || ended(run) > ended(*facts.newest_success))
        facts.newest_success = &run;
      if (facts.counting_success == nullptr) {
        const auto why = shortcoming(run, asked, rules);
        if (why.empty())
          facts.counting_success = &run;
        else if (facts.stale_because.empty())
          facts.stale_because = why;
      }
    } else if (counting_failures && failed(run, memory) &&
               (!attempts_from || began(run) >= *attempts_from)) {
      ++facts.failures;
      if (facts.newest_failure == nullptr) facts.newest_failure = &run;
    }
  }
  if (facts.counting_success != nullptr)
    facts.stale_because.clear();
  else if (facts.newest_success == nullptr)
    facts.stale_because = "it has never succeeded";
  const auto recent =
      std::count_if(memory.starts.begin(), memory.starts.end(),
                    [&](core::timestamp at) { return at + std::chrono::hours{1} > now; });
  facts.starts_last_hour = std::max(seen_starts, static_cast<int>(recent));
  if (!memory.starts.empty() && static_cast<int>(recent) >= seen_starts)
    facts.oldest_start = memory.starts.front();
  return facts;
}

}  // namespace cmlrec::plan
