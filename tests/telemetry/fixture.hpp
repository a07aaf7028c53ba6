// A telemetry whose lines are kept and whose time stands still.
#pragma once

#include "telemetry/make_telemetry.hpp"
#include "telemetry/telemetry.hpp"

#include <memory>
#include <string>
#include <vector>

namespace cmlrec::telemetry::testing {

inline core::timestamp at(const char* text) { return core::parse_timestamp(text).value(); }

struct kept {
  explicit kept(options o = {})
      : sut(make_telemetry(
            std::move(o), [this](std::string_view line) { lines.emplace_back(line); },
            [this] { return now; })) {}

  core::timestamp now = at("2026-01-02T03:04:05.678Z");
  std::vector<std::string> lines;
  std::unique_ptr<telemetry> sut;
};

inline reconcile::event event_of(std::string name, std::string project, std::string job,
                                 std::string message,
                                 reconcile::severity level = reconcile::severity::info) {
  reconcile::event e;
  e.at = at("2026-01-02T03:04:05Z");
  e.level = level;
  e.name = std::move(name);
  e.project = std::move(project);
  e.job = std::move(job);
  e.message = std::move(message);
  return e;
}

inline reconcile::write_record written(std::string project, std::string action, bool ok) {
  reconcile::write_record w;
  w.project = std::move(project);
  w.action = std::move(action);
  w.ok = ok;
  return w;
}

inline plan::job_report job_of(std::string key, plan::job_state state) {
  plan::job_report j;
  j.key = key;
  j.name = std::move(key);
  j.state = state;
  j.reason = "because";
  return j;
}

inline plan::project_report project_of(std::string name, std::vector<std::string> jobs) {
  plan::project_report p;
  p.name = std::move(name);
  p.state = plan::project_state::converged;
  p.in_sync = p.healthy = p.reachable = true;
  for (auto& key : jobs) p.jobs.own().push_back(job_of(key, plan::job_state::up_to_date));
  return p;
}

// The samples of one metric, without the comments: "name{labels} value" lines, in their order.
inline std::vector<std::string> samples(const std::string& text, const std::string& name) {
  std::vector<std::string> out;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const auto end = text.find('\n', begin);
    const auto line = text.substr(begin, end - begin);
    if (line.rfind(name + "{", 0) == 0 || line.rfind(name + " ", 0) == 0) out.push_back(line);
    begin = end + 1;
  }
  return out;
}

// What it shows of the daemon's own metric `name`, without the prefix.
inline std::vector<std::string> shown(const kept& t, const std::string& name) {
  return samples(t.sut->metrics_text(), "cml_reconciler_" + name);
}

// A telemetry that has been told something of everything.
inline void tell_everything(telemetry& t) {
  using std::chrono::milliseconds;
  auto report = project_of("ray-cluster", {"git_sync", "launch"});
  report.state = plan::project_state::degraded;
  report.healthy = false;
  report.orphans = {"old"};
  report.differences.push_back({"description", "\"a\"", "\"b\"", true, "not taken"});
  auto job = report.jobs[0];
  job.differences.push_back({"cpu", "1", "2", false, ""});
  job.last_success = at("2026-01-02T03:00:00.500Z");
  cml::run run;
  run.created_at = at("2026-01-02T02:58:00Z");
  run.running_at = at("2026-01-02T02:59:00Z");
  run.finished_at = at("2026-01-02T03:00:00.500Z");
  report.jobs.own()[0] = job;
  report.jobs.own()[1].state = plan::job_state::failed;
  t.on_report(report);
  run.id = "r1";
  run.state = cml::run_state::succeeded;
  report.jobs.own()[0].last_run = run;
  t.on_report(report);
  t.on_pass("ray-cluster", reconcile::pass_result::degraded, milliseconds{120});
  t.on_write(written("ray-cluster", "create_job", true));
  t.on_write(written("ray-cluster", "start_run", false));
  t.on_attempt("ListJobs", 200, milliseconds{30});
  t.on_attempt("ListJobs", 0, milliseconds{10'000});
  core::error e(core::error_kind::timed_out, "no answer");
  e.operation = "ListJobs";
  t.on_retry("ListJobs", milliseconds{500}, e);
  t.on_rate_limited(milliseconds{250});
  t.on_circuit(true, "502");
  t.on_reload(false, "bad");
  t.on_loop_lag(milliseconds{3});
}

}  // namespace cmlrec::telemetry::testing
