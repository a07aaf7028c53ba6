// The rules for the definitions of jobs: match, create, PATCH, prune.
#include "core/fields.hpp"
#include "plan/work.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_set>

namespace cmlrec::plan {
namespace {

// A change that CML forgets again is written this often in ten minutes before it is given up.
constexpr std::size_t most_rewrites = 5;
// A job that is to be deleted is left to its active run; past this somebody should look at it.
constexpr core::duration longest_wait_for_an_orphan = std::chrono::hours{2};

std::string ids_of(const std::vector<const cml::job*>& jobs) {
  std::string out;
  for (const auto* job : jobs) out += (out.empty() ? "" : ", ") + job->id;
  return out;
}

bool is_rejected(const job_memory& memory, const field_difference& d) {
  const auto found = memory.unappliable.find(d.field);
  return found != memory.unappliable.end() && found->second.desired == d.desired &&
         found->second.live == d.live;
}

bool is_forgotten_by_cml(const job_memory& memory, const field_difference& d) {
  const auto found = memory.written.find(d.field);
  return found != memory.written.end() && found->second.at.size() >= most_rewrites &&
         found->second.transition.rfind(d.live + " -> ", 0) == 0;
}

// A refused create or PATCH: whether it will come right by itself, in words.
void report_refusal(work& w, job_work& job, action_kind kind, const std::string& why) {
  const auto& r = job.memory->refused.at(kind);
  const bool settling = r.script_missing && w.now.local < r.first_at + w.rules.clone_settle;
  job.report.state = kind == action_kind::create_job ? job_state::missing : job.report.state;
  job.report.reason = why;
  job.definition_open = settling || r.busy;
  if (settling || (r.busy && r.count < 10)) {
    w.in_progress(job.spec->key + ": " + why);
  } else {
    w.troubles.push_back(job.spec->key + ": " + why);
    job.for_good = kind == action_kind::create_job;
  }
}

void plan_creation(work& w, job_work& job) {
  job.report.state = job_state::missing;
  job.definition_open = true;
  if (job.parent_unresolved) {
    job.report.reason = "is created after its parent " + *job.spec->parent_key;
    const auto* parent = w.find(*job.spec->parent_key);
    if (parent->for_good || parent->report.state == job_state::ambiguous) {
      job.definition_open = false;
      job.for_good = true;
    } else if (!parent->definition_open) {
      job.definition_open = false;  // the parent is suspended: nothing is under way
    }
    return;
  }
  std::string why;
  if (!w.absence_is_certain(job.memory->create_sent, why)) {
    job.report.reason = "is not in CML: " + why;
    w.in_progress(job.spec->key + ": " + job.report.reason);
    return;
  }
  action a;
  a.kind = action_kind::create_job;
  a.project_id = w.live->id;
  a.job_key = job.spec->key;
  a.job_name = job.spec->name;
  a.job = creation_of(*job.spec, w.wanted.prune, job.parent_id);
  a.write_hash = write_hash(a.job.fields, a.job.parent_id);
  a.reason = "no job of the project is named '" + job.spec->name + "'";
  if (!w.may_repeat(job.memory->refused, a.kind, a.write_hash, why)) {
    report_refusal(w, job, a.kind, "CML refuses to create it: " + why);
    return;
  }
  job.report.reason = "is being created";
  w.in_progress(job.spec->key + ": is being created");
  w.plan.actions.push_back(std::move(a));
}

void plan_update(work& w, job_work& job) {
  for (auto& d : compare_job(*job.spec, w.wanted.prune, job.parent_id, *job.live)) {
    if (is_rejected(*job.memory, d)) {
      d.shown.unappliable = true;
      d.shown.note = "CML took the change without an error and did not make it";
    } else if (is_forgotten_by_cml(*job.memory, d)) {
      d.shown.unappliable = true;
      d.shown.note = "was written " + std::to_string(most_rewrites) +
                     " times in ten minutes and came back each time";
    } else {
      job.open.push_back(d);
    }
    job.report.differences.push_back(d.shown);
    if (d.shown.unappliable)
      w.troubles.push_back(job.spec->key + ": " + d.field +
                           " cannot be applied (Unappliable): " + d.shown.note);
  }
  if (job.open.empty()) return;
  job.definition_open = true;
  action a;
  a.kind = action_kind::update_job;
  a.project_id = w.live->id;
  a.job_key = job.spec->key;
  a.job_name = job.spec->name;
  a.job_id = job.live->id;
  a.job = patch_for(*job.spec, w.wanted.prune, job.parent_id, *job.live, job.open);
  a.write_hash = write_hash(a.job.fields, a.job.parent_id);
  for (const auto& d : job.open) {
    a.reason += (a.reason.empty() ? "" : ", ") + d.field + " is " + d.shown.live +
                " and should be " + d.shown.desired;
    a.replaced[d.field] = d.live;
  }
  std::string why;
  if (!w.may_repeat(job.memory->refused, a.kind, a.write_hash, why)) {
    report_refusal(w, job, a.kind, "CML refuses a change: " + why);
    return;
  }
  w.in_progress(job.spec->key + ": is being brought in line");
  w.plan.actions.push_back(std::move(a));
}

}  // namespace

void settle_definition(work& w, job_work& job) {
  static const std::vector<const cml::job*> none;
  const auto named = w.live_by_name.find(job.spec->name);
  const auto& matches = named == w.live_by_name.end() ? none : named->second;
  if (matches.size() > 1) {
    job.report.state = job_state::ambiguous;
    job.report.reason = "Ambiguous: " + std::to_string(matches.size()) +
                        " live jobs are named '" + job.spec->name + "' (" + ids_of(matches) +
                        "); nothing is done to them. Rename or delete all but one";
    for (const auto* live : matches) w.plan.report.ambiguous_ids.push_back(live->id);
    w.troubles.push_back(job.spec->key + ": " + job.report.reason);
    job.for_good = true;
    return;
  }
  if (job.spec->parent_key) {
    const auto* parent = w.find(*job.spec->parent_key);
    if (parent->live != nullptr)
      job.parent_id = parent->live->id;
    else
      job.parent_unresolved = true;
  }
  if (!matches.empty()) {
    job.live = matches.front();
    job.report.id = job.live->id;
  }
  if (const auto why = w.held(job); !why.empty()) {
    job.report.state = job_state::suspended;
    job.report.reason = why + ": left alone";
    if (job.live != nullptr)
      for (const auto& d : compare_job(*job.spec, w.wanted.prune, job.parent_id, *job.live))
        job.report.differences.push_back(d.shown);
    return;
  }
  if (job.live == nullptr)
    plan_creation(w, job);
  else
    plan_update(w, job);
}

void settle_descent(work& w) {
  // Children come after their parents: from the end, each is done before what is above it. A place
  // further to the front in the order is nearer to the top.
  for (auto job = w.jobs.rbegin(); job != w.jobs.rend(); ++job) {
    const job_work* open = job->definition_open ? &*job : job->open_below;
    if (open == nullptr || !job->spec->parent_key) continue;
    auto* parent = w.find(*job->spec->parent_key);
    if (parent->open_below == nullptr || open < parent->open_below) parent->open_below = open;
  }
}

void settle_orphans(work& w) {
  std::unordered_set<std::string_view> wanted_names;
  wanted_names.reserve(w.jobs.size());
  for (const auto& job : w.jobs) wanted_names.insert(job.spec->name);
  for (const auto& live : *w.seen.jobs)
    if (!wanted_names.contains(live.name)) w.orphans.push_back(&live);
  auto left = static_cast<std::size_t>(w.wanted.prune_limit);
  left -= std::min(left, w.memory.deletions.size());
  for (const auto* orphan : w.orphans) {
    w.plan.report.orphans.push_back(orphan->name);
    if (!w.wanted.prune) continue;
    const auto env = orphan->fields.find("environment");
    const auto* map =
        env == orphan->fields.end() ? nullptr : std::get_if<core::text_map>(&env->second);
    if (map == nullptr || !map->contains(owner_mark)) continue;
    if (left == 0) {
      // The next pass has a limit of its own.
      w.in_progress(orphan->name + ": is deleted later, no more than " +
                    std::to_string(w.wanted.prune_limit) + " at a time (prune_limit)");
      w.look_within(w.rules.interval);
      continue;
    }
    const auto history = w.seen.histories.find(orphan->id);
    if (history == w.seen.histories.end() || history->second.began.local < w.seen.pass_began) {
      w.plan.reads.push_back({orphan->id, orphan->name, 50});
      continue;
    }
    const auto& runs = history->second.runs;
    const auto active = std::find_if(runs.begin(), runs.end(),
                                     [](const cml::run& r) { return !cml::is_finished(r.state); });
    if (active != runs.end()) {
      const auto since = active->created_at.value_or(w.now.cml);
      if (w.now.cml - since > longest_wait_for_an_orphan)
        w.troubles.push_back(orphan->name + ": cannot be deleted: its run " + active->id +
                             " has been active since " + core::format_timestamp(since) +
                             "; stop it, or delete the job by hand");
      w.in_progress(orphan->name + ": is deleted when its active run has ended");
      w.look_within(std::chrono::seconds{10});
      continue;
    }
    action a;
    a.kind = action_kind::delete_job;
    a.project_id = w.live->id;
    a.job_name = orphan->name;
    a.job_key = orphan->name;
    a.job_id = orphan->id;
    a.write_hash = orphan->id;
    a.reason =
        "the file does not have it, prune is on, and it bears the mark " + std::string(owner_mark);
    std::string why;
    if (!w.may_repeat(memory_of(w.memory, orphan->name).refused, a.kind, a.write_hash, why)) {
      w.troubles.push_back(orphan->name + ": cannot be deleted: " + why);
      continue;
    }
    --left;
    w.in_progress(orphan->name + ": is being deleted");
    w.plan.actions.push_back(std::move(a));
  }
}

}  // namespace cmlrec::plan
