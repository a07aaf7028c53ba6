#include "telemetry/telemetry.hpp"

#include "telemetry/audit.hpp"
#include "telemetry/label_bounds.hpp"
#include "telemetry/log_writer.hpp"
#include "telemetry/make_telemetry.hpp"
#include "telemetry/metrics.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

namespace cmlrec::telemetry {
namespace {

using reconcile::severity;

class whole_telemetry final : public telemetry {
 public:
  whole_telemetry(options o, line_sink sink, wall_clock now)
      : options_(std::move(o)),
        now_(std::move(now)),
        log_(make_log_writer(options_, std::move(sink))),
        bounds_(options_.most_series),
        metrics_(make_metrics(bounds_, options_.version, now_())) {}

  void on_event(const reconcile::event& e) override {
    log_entry entry;
    entry.at = e.at;
    entry.level = e.level;
    entry.event = e.name;
    entry.project = e.project;
    entry.job = e.job;
    entry.message = e.message;
    log_->write(entry);
    remember(e);
  }

  void on_pass(const std::string& project, reconcile::pass_result result,
               core::duration took) override {
    metrics_->pass(project, result, took);
  }

  // Not among the events, where each action has its own already: their places are few.
  void on_write(const reconcile::write_record& w) override {
    metrics_->action(w.project, w.action, w.ok);
    if (w.operation.empty()) return;
    log_->write(audit_entry(w, now_()));
    if (audit_.is_wanted()) tell_audit(audit_.write(audit_line(w)));
  }

  void on_report(const plan::project_report& report) override {
    bounds_.admit(report);
    auto& before = reports_[report.name];
    count_changes(before, report);
    before = report;
  }

  void on_removed(const std::string& project) override {
    reports_.erase(project);
    metrics_->removed(project);
  }

  void on_reload(bool ok, const std::string&) override { metrics_->reload(ok, now_()); }

  void on_attempt(const char* operation, int status, core::duration took) override {
    metrics_->attempt(operation, status, took);
    if (!logs(severity::debug, "api.attempt")) return;
    log(severity::debug, "api.attempt",
        std::string(operation) + (status == 0 ? " had no answer" : " was answered"),
        {{"operation", operation},
         {"status", std::to_string(status)},
         {"took_ms", std::to_string(took.count())}});
  }

  void on_retry(const char* operation, core::duration after, const core::error& why) override {
    metrics_->retry(operation, why.kind);
    log(severity::debug, "api.retry",
        core::describe(why) + "; again in " + core::format_duration(after),
        {{"operation", operation}, {"kind", core::to_string(why.kind)}});
  }

  void on_rate_limited(core::duration waited) override { metrics_->rate_limited(waited); }

  void on_circuit(bool open, const std::string& why) override {
    metrics_->circuit(open);
    if (open == circuit_open_) return;
    circuit_open_ = open;
    const std::string reason = why.empty() ? "" : ": " + why;
    reconcile::event e;
    e.at = now_();
    e.level = open ? severity::warning : severity::info;
    e.name = open ? "circuit.opened" : "circuit.closed";
    e.message = open ? "CML has failed repeatedly and is left alone for a while" + reason
                     : "CML answers again" + reason;
    on_event(e);
  }

  std::string metrics_text() const override { return metrics_->text(reports_); }
  const std::deque<reconcile::event>& events() const override { return events_; }
  std::uint64_t events_told() const override { return events_told_; }
  const std::map<std::string, plan::project_report>& reports() const override { return reports_; }

  void log(severity level, const std::string& name, const std::string& message,
           const std::map<std::string, std::string>& fields) override {
    log_entry entry;
    entry.at = now_();
    entry.level = level;
    entry.event = name;
    entry.fields = fields;
    entry.message = message;
    log_->write(entry);
  }

  bool logs(severity level, std::string_view name) const override {
    return log_->wants(level, name);
  }
  void set_log_levels(const config::log_levels& levels) override { log_->set_levels(levels); }

  void set_audit_file(const std::string& path) override {
    audit_trouble_.clear();
    tell_audit(audit_.open(path));
  }

  void on_notification(const std::string& result) override { metrics_->notification(result); }
  void on_notify_queue(std::size_t length) override { metrics_->notify_queue(length); }
  void on_loop_lag(core::duration lag) override { metrics_->loop_lag(lag); }

 private:
  // The same trouble is told once; each lost line is counted.
  void tell_audit(const std::optional<std::string>& trouble) {
    if (!trouble) {
      audit_trouble_.clear();
      return;
    }
    metrics_->audit_failed();
    if (*trouble == audit_trouble_) return;
    audit_trouble_ = *trouble;
    on_event({now_(), severity::error, "audit.not_written", "", "", *trouble});
  }

  // What is new since the report before. Runs are counted from the second report on: what the first
  // one shows as ended may have ended long ago. A difference counts in the first one, too.
  void count_changes(const plan::project_report& before, const plan::project_report& after) {
    count_drift(after.name, "project", before.differences, after.differences);
    plan::job_finder former(before);
    std::size_t kept = 0;
    for (const auto& job : after.jobs) {
      const auto* old = former.find(job.key);
      static const std::vector<plan::difference> none;
      count_drift(after.name, "job", old == nullptr ? none : old->differences, job.differences);
      if (old == nullptr) continue;
      ++kept;
      const auto& was = *old;
      // Before a job's runs have been read once, nothing is known of them.
      if (was.state == plan::job_state::unknown || !job.last_run) continue;
      if (!was.last_run || was.last_run->id != job.last_run->id)
        metrics_->run_ended(after.name, job.key, cml::to_string(job.last_run->state));
    }
    if (kept == before.jobs.size()) return;
    plan::job_finder present(after);
    for (const auto& job : before.jobs)
      if (present.find(job.key) == nullptr) metrics_->job_removed(after.name, job.key);
  }

  void count_drift(const std::string& project, const char* kind,
                   const std::vector<plan::difference>& before,
                   const std::vector<plan::difference>& after) {
    for (const auto& d : after) {
      const bool known = std::any_of(before.begin(), before.end(), [&](const auto& other) {
        return other.field == d.field && other.live == d.live && other.desired == d.desired;
      });
      if (!known) metrics_->drifted(project, kind, d.field);
    }
  }

  // Of the lines "still running", only the newest of each project is worth a place.
  void remember(const reconcile::event& e) {
    ++events_told_;
    if (e.name == "status") {
      const auto stale = std::find_if(events_.rbegin(), events_.rend(), [&](const auto& old) {
        return old.name == e.name && old.project == e.project && old.job == e.job;
      });
      if (stale != events_.rend()) events_.erase(std::next(stale).base());
    }
    events_.push_back(e);
    if (events_.size() > options_.most_events) events_.pop_front();
  }

  options options_;
  wall_clock now_;
  std::unique_ptr<log_writer> log_;
  label_bounds bounds_;
  std::unique_ptr<metrics> metrics_;
  std::deque<reconcile::event> events_;
  std::uint64_t events_told_ = 0;
  audit_file audit_;
  std::string audit_trouble_;  // empty: none
  std::map<std::string, plan::project_report> reports_;
  bool circuit_open_ = false;
};

}  // namespace

std::unique_ptr<telemetry> make_telemetry(options o, line_sink sink, wall_clock now) {
  return std::make_unique<whole_telemetry>(std::move(o), std::move(sink), std::move(now));
}

std::unique_ptr<telemetry> make_telemetry(options o) {
  auto sink = stderr_sink(o.format, o.to_journal);
  return make_telemetry(std::move(o), std::move(sink), [] {
    return std::chrono::time_point_cast<core::duration>(std::chrono::system_clock::now());
  });
}

}  // namespace cmlrec::telemetry
