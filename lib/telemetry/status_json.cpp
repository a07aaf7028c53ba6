// The bodies of /v1/status and /v1/events. What is not known is null; every key is always there.
#include "core/json_writer.hpp"
#include "telemetry/log_line.hpp"
#include "telemetry/telemetry.hpp"
#include "telemetry/text.hpp"

#include <optional>
#include <string>
#include <vector>

namespace cmlrec::telemetry {
namespace {

// An object of the answer, member by member.
class members {
 public:
  explicit members(core::json_writer& to) : to_(to) {}

  void text(const char* name, const std::string& s) {
    to_.key(name);
    to_.text(valid_utf8(s));
  }
  void text_or_null(const char* name, const std::string& s) {
    to_.key(name);
    s.empty() ? to_.null() : to_.text(valid_utf8(s));
  }
  void word(const char* name, const char* s) {
    to_.key(name);
    to_.text(s);
  }
  void time_or_null(const char* name, const std::optional<core::timestamp>& at) {
    to_.key(name);
    at ? to_.text(core::format_timestamp(*at)) : to_.null();
  }
  void seconds_or_null(const char* name, const std::optional<core::duration>& d) {
    to_.key(name);
    d ? to_.number(std::chrono::floor<std::chrono::seconds>(*d).count()) : to_.null();
  }
  void number(const char* name, std::int64_t n) {
    to_.key(name);
    to_.number(n);
  }
  void boolean(const char* name, bool b) {
    to_.key(name);
    to_.boolean(b);
  }
  // `write(element)` writes each.
  template <class List, class Write>
  void list(const char* name, const List& all, Write write) {
    to_.key(name);
    to_.begin_array();
    for (const auto& one : all) write(one);
    to_.end_array();
  }
  void list(const char* name, const std::vector<std::string>& all) {
    list(name, all, [this](const std::string& one) { to_.text(valid_utf8(one)); });
  }

 private:
  core::json_writer& to_;
};

void write_difference(core::json_writer& to, const plan::difference& d) {
  to.begin_object();
  members o(to);
  o.text("field", d.field);
  o.text("live", d.live);
  o.text("desired", d.desired);
  o.boolean("unappliable", d.unappliable);
  o.text_or_null("note", d.note);
  to.end_object();
}

// Neither environment nor arguments: they may hold what nobody should read here.
void write_run(core::json_writer& to, const cml::run& run) {
  const auto began = run.running_at ? run.running_at : run.created_at;
  std::optional<core::duration> took;
  if (began && run.finished_at) took = *run.finished_at - *began;
  to.begin_object();
  members o(to);
  o.text("id", run.id);
  o.text_or_null("status", run.status);
  o.word("state", cml::to_string(run.state));
  o.text_or_null("creator", run.creator);
  o.time_or_null("created_at", run.created_at);
  o.time_or_null("running_at", run.running_at);
  o.time_or_null("finished_at", run.finished_at);
  o.seconds_or_null("duration_seconds", took);
  to.end_object();
}

void write_run_or_null(core::json_writer& to, const char* name, const std::optional<cml::run>& run) {
  to.key(name);
  run ? write_run(to, *run) : to.null();
}

void write_job(core::json_writer& to, const plan::job_report& j) {
  const auto difference = [&](const plan::difference& d) { write_difference(to, d); };
  to.begin_object();
  members o(to);
  o.text("key", j.key);
  o.text("name", j.name);
  o.text_or_null("id", j.id);
  o.text_or_null("parent", j.parent_key);
  o.text_or_null("description", j.description);
  o.word("state", plan::to_string(j.state));
  o.text_or_null("reason", j.reason);
  o.list("differences", j.differences, difference);
  write_run_or_null(to, "active_run", j.active_run);
  write_run_or_null(to, "last_run", j.last_run);
  o.list("recent_runs", j.recent_runs, [&](const cml::run& run) { write_run(to, run); });
  o.time_or_null("last_success", j.last_success);
  o.number("attempts", j.attempts);
  o.number("max_attempts", j.max_attempts);
  o.seconds_or_null("running_for_seconds", j.running_for);
  o.seconds_or_null("timeout_seconds", j.timeout);
  o.text_or_null("next_action", j.next_action);
  o.time_or_null("next_at", j.next_at);
  to.end_object();
}

void write_project(core::json_writer& to, const plan::project_report& p) {
  const auto difference = [&](const plan::difference& d) { write_difference(to, d); };
  to.begin_object();
  members o(to);
  o.text("name", p.name);
  o.text_or_null("id", p.id);
  o.word("state", plan::to_string(p.state));
  o.boolean("in_sync", p.in_sync);
  o.boolean("healthy", p.healthy);
  o.boolean("reachable", p.reachable);
  o.list("reasons", p.reasons);
  o.text_or_null("activity", p.activity);
  o.list("differences", p.differences, difference);
  o.list("orphans", p.orphans);
  o.list("ambiguous_ids", p.ambiguous_ids);
  o.time_or_null("observed_at", p.observed_at);
  o.list("jobs", p.jobs, [&](const plan::job_report& j) { write_job(to, j); });
  to.end_object();
}

void write_event(core::json_writer& to, const reconcile::event& e) {
  to.begin_object();
  members o(to);
  o.word("at", core::format_timestamp(e.at).c_str());
  o.word("level", to_string(e.level));
  o.text("event", e.name);
  o.text_or_null("project", e.project);
  o.text_or_null("job", e.job);
  o.text("message", e.message);
  to.end_object();
}

}  // namespace

std::string status_json(const std::map<std::string, plan::project_report>& reports,
                        const std::string& version, const std::string& config_error,
                        const std::vector<std::string>& restart_needed) {
  std::string out;
  core::json_writer to(out);
  to.begin_object();
  members o(to);
  o.text("version", version);
  o.text_or_null("config_error", config_error);
  o.list("restart_needed", restart_needed);
  o.list("projects", reports, [&](const auto& entry) { write_project(to, entry.second); });
  to.end_object();
  return out + "\n";
}

std::string project_json(const plan::project_report& report) {
  std::string out;
  core::json_writer to(out);
  write_project(to, report);
  return out;
}

std::string event_json(const reconcile::event& e) {
  std::string out;
  core::json_writer to(out);
  write_event(to, e);
  return out;
}

std::string events_json(const std::deque<reconcile::event>& events) {
  std::string out;
  core::json_writer to(out);
  to.begin_object();
  members(to).list("events", events, [&](const reconcile::event& e) { write_event(to, e); });
  to.end_object();
  return out + "\n";
}

}  // namespace cmlrec::telemetry
