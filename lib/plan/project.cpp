// The rules for the project itself: look-up, adoption, creation, clone, its owned fields.
#include "core/letters.hpp"
#include "plan/work.hpp"

#include <algorithm>
#include <array>

namespace cmlrec::plan {
namespace {

enum class clone_state { done, failed, going_on, unclear };

// The API's document knows creating, success and failure; clients have also met "unknown",
// "succeeded", "ready", "error" and an empty string.
clone_state classify(const std::string& status) {
  const auto word = core::lower_case(status);
  constexpr std::array<std::string_view, 5> done = {"", "success", "succeeded", "ready", "running"};
  constexpr std::array<std::string_view, 4> failed = {"failure", "failed", "error", "errored"};
  if (std::find(done.begin(), done.end(), word) != done.end()) return clone_state::done;
  if (std::find(failed.begin(), failed.end(), word) != failed.end()) return clone_state::failed;
  return word == "creating" ? clone_state::going_on : clone_state::unclear;
}

bool owner_matches(const config::project_spec& wanted, const cml::project& p) {
  return !wanted.owner || p.owner == *wanted.owner ||
         (p.owner.empty() && p.creator == *wanted.owner);
}

std::vector<const cml::project*> matching(const config::project_spec& wanted,
                                          const observation& seen) {
  std::vector<const cml::project*> out;
  for (const auto& p : seen.projects)
    if (wanted.id ? p.id == *wanted.id : p.name == wanted.name && owner_matches(wanted, p))
      out.push_back(&p);
  return out;
}

bool can_be_created(const config::project_spec& wanted) {
  return wanted.fields.contains("git_url") || wanted.fields.contains("template");
}

void plan_creation(work& w) {
  const auto& name = w.wanted.name;
  if (w.wanted.id) {
    w.troubles.push_back("no project has the id " + *w.wanted.id +
                         ", or it is not visible to this key");
    return;
  }
  if (!can_be_created(w.wanted)) {
    w.troubles.push_back("there is no project '" + name +
                         "' and nothing to create it from; set project.git_url or "
                         "project.template in the file, or GITHUB_REPOSITORY");
    return;
  }
  std::string why;
  if (!w.absence_is_certain(w.memory.create_sent, why)) {
    w.in_progress("project " + name + ": " + why);
    return;
  }
  action a;
  a.kind = action_kind::create_project;
  a.project.fields = w.wanted.fields;
  a.write_hash = write_hash(a.project.fields, std::nullopt);
  a.reason = "no project is named '" + name + "'";
  if (!w.may_repeat(w.memory.refused, a.kind, a.write_hash, why)) {
    w.troubles.push_back("CML refuses to create the project: " + why);
    return;
  }
  w.in_progress("project " + name + ": is being created");
  w.plan.actions.push_back(std::move(a));
}

// False while the clone is going on, or has failed.
bool clone_is_done(work& w) {
  const auto& p = *w.live;
  const auto state = classify(p.creation_status);
  if (state == clone_state::done) return true;
  if (state == clone_state::failed) {
    w.troubles.push_back("the clone of the repository has failed (creation_status '" +
                         p.creation_status +
                         "'); look at the project in CML, delete it or mend its git_url");
    return false;
  }
  core::duration age{0};
  if (p.created_at)
    age = std::max(core::duration{0}, w.now.cml - *p.created_at);
  else if (w.memory.first_seen)
    age = w.now.local - *w.memory.first_seen;
  if (age < w.wanted.clone_timeout) {
    w.look_within(std::min(poll_after(age), w.wanted.clone_timeout - age));
    w.in_progress("clone of " + w.wanted.name + ": running for " + core::format_duration(age) +
                  " (timeout " + core::format_duration(w.wanted.clone_timeout) + ")");
    return false;
  }
  // A word that nobody knows is no proof that the clone still goes on: the jobs will tell.
  if (state == clone_state::unclear) return true;
  w.troubles.push_back("the clone of the repository has not ended within " +
                       core::format_duration(w.wanted.clone_timeout) + " (creation_status '" +
                       p.creation_status + "')");
  return false;
}

void plan_update(work& w) {
  auto& report = w.plan.report;
  std::vector<field_difference> open;
  for (auto& d : compare_project(w.wanted, *w.live)) {
    const auto rejected = w.memory.unappliable.find(d.field);
    if (rejected != w.memory.unappliable.end() && rejected->second.desired == d.desired &&
        rejected->second.live == d.live) {
      d.shown.unappliable = true;
      d.shown.note = "CML took the change without an error and did not make it";
      w.troubles.push_back("the project's " + d.field + " cannot be applied: " + d.shown.note);
    } else {
      open.push_back(d);
    }
    report.differences.push_back(d.shown);
  }
  for (const auto& [name, before] : w.memory.creation_fields) {
    const auto now = w.wanted.fields.find(name);
    if (now != w.wanted.fields.end() && now->second == before) continue;
    difference d;
    d.field = name;
    d.live = core::display(before);
    d.desired = now == w.wanted.fields.end() ? "(not set)" : core::display(now->second);
    d.unappliable = true;
    d.note = "acts when a project is created, and cannot be changed afterwards";
    report.differences.push_back(std::move(d));
  }
  if (open.empty()) return;
  action a;
  a.kind = action_kind::update_project;
  a.project_id = w.live->id;
  a.project = patch_for(w.wanted, *w.live, open);
  a.write_hash = write_hash(a.project.fields, std::nullopt);
  for (const auto& d : open) {
    a.reason += (a.reason.empty() ? "" : ", ") + d.field + " is " + d.shown.live +
                " and should be " + d.shown.desired;
    a.replaced[d.field] = d.live;
  }
  std::string why;
  if (!w.may_repeat(w.memory.refused, a.kind, a.write_hash, why)) {
    w.troubles.push_back("CML refuses a change of the project: " + why);
    return;
  }
  w.in_progress("project " + w.wanted.name + ": is being brought in line");
  w.plan.actions.push_back(std::move(a));
}

}  // namespace

std::optional<std::string> project_to_read(const config::project_spec& wanted,
                                           const observation& seen) {
  const auto matches = matching(wanted, seen);
  if (matches.size() != 1) return std::nullopt;
  return matches.front()->id;
}

bool settle_project(work& w) {
  auto& report = w.plan.report;
  const auto matches = matching(w.wanted, w.seen);
  if (matches.empty()) {
    plan_creation(w);
    return false;
  }
  if (matches.size() > 1) {
    std::string ids;
    for (const auto* p : matches) {
      report.ambiguous_ids.push_back(p->id);
      ids += (ids.empty() ? "" : ", ") + p->id + (p->owner.empty() ? "" : " of " + p->owner);
    }
    w.troubles.push_back("Ambiguous: " + std::to_string(matches.size()) + " projects are named '" +
                         w.wanted.name + "' (" + ids +
                         "); nothing is done to them. Name one by id: or owner: in the file");
    return false;
  }
  w.live = matches.front();
  report.id = w.live->id;
  if (!clone_is_done(w)) return false;
  plan_update(w);
  return true;
}

}  // namespace cmlrec::plan
