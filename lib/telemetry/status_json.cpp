// The bodies of /v1/status and /v1/events. What is not known is null; every key is always there.
#include "telemetry/log_line.hpp"
#include "telemetry/telemetry.hpp"
#include "telemetry/text.hpp"

#include <optional>
#include <string>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace cmlrec::telemetry {
namespace {

namespace json = boost::json;

json::value text(const std::string& s) { return json::value(valid_utf8(s)); }

json::value text_or_null(const std::string& s) {
  return s.empty() ? json::value(nullptr) : text(s);
}

json::value time_or_null(const std::optional<core::timestamp>& at) {
  return at ? json::value(core::format_timestamp(*at)) : json::value(nullptr);
}

json::value seconds(core::duration d) {
  return json::value(std::chrono::floor<std::chrono::seconds>(d).count());
}

json::value seconds_or_null(const std::optional<core::duration>& d) {
  return d ? seconds(*d) : json::value(nullptr);
}

json::array list(const std::vector<std::string>& all) {
  json::array out;
  for (const auto& one : all) out.push_back(text(one));
  return out;
}

json::array list(const std::vector<plan::difference>& all) {
  json::array out;
  for (const auto& d : all) {
    json::object o;
    o["field"] = text(d.field);
    o["live"] = text(d.live);
    o["desired"] = text(d.desired);
    o["unappliable"] = d.unappliable;
    o["note"] = text_or_null(d.note);
    out.push_back(std::move(o));
  }
  return out;
}

// Neither environment nor arguments: they may hold what nobody should read here.
json::value run_or_null(const std::optional<cml::run>& run) {
  if (!run) return nullptr;
  const auto began = run->running_at ? run->running_at : run->created_at;
  json::object o;
  o["id"] = text(run->id);
  o["status"] = text_or_null(run->status);
  o["state"] = cml::to_string(run->state);
  o["creator"] = text_or_null(run->creator);
  o["created_at"] = time_or_null(run->created_at);
  o["running_at"] = time_or_null(run->running_at);
  o["finished_at"] = time_or_null(run->finished_at);
  o["duration_seconds"] =
      began && run->finished_at ? seconds(*run->finished_at - *began) : json::value(nullptr);
  return o;
}

json::object job(const plan::job_report& j) {
  json::object o;
  o["key"] = text(j.key);
  o["name"] = text(j.name);
  o["id"] = text_or_null(j.id);
  o["parent"] = text_or_null(j.parent_key);
  o["description"] = text_or_null(j.description);
  o["state"] = plan::to_string(j.state);
  o["reason"] = text_or_null(j.reason);
  o["differences"] = list(j.differences);
  o["active_run"] = run_or_null(j.active_run);
  o["last_run"] = run_or_null(j.last_run);
  json::array recent;
  for (const auto& run : j.recent_runs) recent.push_back(run_or_null(run));
  o["recent_runs"] = std::move(recent);
  o["last_success"] = time_or_null(j.last_success);
  o["attempts"] = j.attempts;
  o["max_attempts"] = j.max_attempts;
  o["running_for_seconds"] = seconds_or_null(j.running_for);
  o["timeout_seconds"] = seconds_or_null(j.timeout);
  o["next_action"] = text_or_null(j.next_action);
  o["next_at"] = time_or_null(j.next_at);
  return o;
}

json::object project(const plan::project_report& p) {
  json::object o;
  o["name"] = text(p.name);
  o["id"] = text_or_null(p.id);
  o["state"] = plan::to_string(p.state);
  o["in_sync"] = p.in_sync;
  o["healthy"] = p.healthy;
  o["reachable"] = p.reachable;
  o["reasons"] = list(p.reasons);
  o["activity"] = text_or_null(p.activity);
  o["differences"] = list(p.differences);
  o["orphans"] = list(p.orphans);
  o["ambiguous_ids"] = list(p.ambiguous_ids);
  o["observed_at"] = time_or_null(p.observed_at);
  json::array jobs;
  for (const auto& j : p.jobs) jobs.push_back(job(j));
  o["jobs"] = std::move(jobs);
  return o;
}

json::object event_object(const reconcile::event& e) {
  json::object o;
  o["at"] = core::format_timestamp(e.at);
  o["level"] = to_string(e.level);
  o["event"] = text(e.name);
  o["project"] = text_or_null(e.project);
  o["job"] = text_or_null(e.job);
  o["message"] = text(e.message);
  return o;
}

}  // namespace

std::string status_json(const std::map<std::string, plan::project_report>& reports,
                        const std::string& version, const std::string& config_error,
                        const std::vector<std::string>& restart_needed) {
  json::object body;
  body["version"] = text(version);
  body["config_error"] = text_or_null(config_error);
  body["restart_needed"] = list(restart_needed);
  json::array projects;
  for (const auto& [name, report] : reports) projects.push_back(project(report));
  body["projects"] = std::move(projects);
  return json::serialize(body) + "\n";
}

std::string project_json(const plan::project_report& report) {
  return json::serialize(project(report));
}

std::string event_json(const reconcile::event& e) { return json::serialize(event_object(e)); }

std::string events_json(const std::deque<reconcile::event>& events) {
  json::array all;
  for (const auto& e : events) all.push_back(event_object(e));
  json::object body;
  body["events"] = std::move(all);
  return json::serialize(body) + "\n";
}

}  // namespace cmlrec::telemetry
