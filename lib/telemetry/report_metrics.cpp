#include "telemetry/metric_table.hpp"
#include "telemetry/samples.hpp"
#include "telemetry/text.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace cmlrec::telemetry {
namespace {

using plan::project_state;

constexpr std::array<project_state, 5> project_states = {
    project_state::converged, project_state::progressing, project_state::degraded,
    project_state::suspended, project_state::unreachable};

// How several objects that share the series "_other" make one value.
enum class together { sum, smallest, largest };

class gauge_samples {
 public:
  gauge_samples(metric_id id, together how) : row_(describe(id)), how_(how) {}

  void put(std::vector<std::string> labels, double value) {
    const bool shared = std::find(labels.begin(), labels.end(), overflow_label) != labels.end();
    if (!shared) {
      add(labels, value);
      return;
    }
    const auto [place, fresh] = shared_.emplace(std::move(labels), value);
    if (!fresh) place->second = combined(place->second, value);
  }

  prometheus::MetricFamily take() {
    for (const auto& [labels, value] : shared_) add(labels, value);
    family_.name = row_.name;
    family_.help = row_.help;
    family_.type = prometheus::MetricType::Gauge;
    return std::move(family_);
  }

 private:
  void add(const std::vector<std::string>& labels, double value) {
    prometheus::ClientMetric sample;
    sample.label.reserve(labels.size());
    for (std::size_t i = 0; i < labels.size(); ++i)
      sample.label.push_back({std::string(row_.labels[i]), valid_utf8(labels[i])});
    sample.gauge.value = value;
    family_.metric.push_back(std::move(sample));
  }

  double combined(double a, double b) const {
    switch (how_) {
      case together::sum:
        return a + b;
      case together::smallest:
        return std::min(a, b);
      case together::largest:
        return std::max(a, b);
    }
    return b;
  }

  const metric_row& row_;
  together how_;
  prometheus::MetricFamily family_;
  std::map<std::vector<std::string>, double> shared_;
};

struct report_gauges {
  gauge_samples state{metric_id::project_state, together::sum};
  gauge_samples in_sync{metric_id::project_in_sync, together::smallest};
  gauge_samples healthy{metric_id::project_healthy, together::smallest};
  gauge_samples reachable{metric_id::project_reachable, together::smallest};
  gauge_samples job_state{metric_id::job_state, together::sum};
  gauge_samples differences{metric_id::differences, together::sum};
  gauge_samples unappliable{metric_id::unappliable, together::sum};
  gauge_samples orphans{metric_id::orphans, together::sum};
  gauge_samples ambiguous{metric_id::ambiguous, together::sum};
  gauge_samples suspended_jobs{metric_id::suspended_jobs, together::sum};
  gauge_samples last_success{metric_id::last_success, together::smallest};
  gauge_samples last_run_duration{metric_id::last_run_duration, together::largest};

  void add_differences(const std::string& project, const std::string& job,
                       const std::vector<plan::difference>& list) {
    differences.put({project, job}, static_cast<double>(list.size()));
    const auto hopeless = std::count_if(list.begin(), list.end(),
                                        [](const plan::difference& d) { return d.unappliable; });
    unappliable.put({project, job}, static_cast<double>(hopeless));
  }

  void add_job(const std::string& project, const std::string& job, const plan::job_report& r) {
    job_state.put({project, job, plan::to_string(r.state)}, 1);
    add_differences(project, job, r.differences);
    if (r.last_success)
      last_success.put({project, job}, core::in_seconds(r.last_success->time_since_epoch()));
    if (!r.last_run || !r.last_run->finished_at) return;
    const auto& run = *r.last_run;
    const auto began = run.running_at ? run.running_at : run.created_at;
    if (began) last_run_duration.put({project, job}, core::in_seconds(*run.finished_at - *began));
  }

  void add_project(const std::string& label, const plan::project_report& r) {
    for (const auto s : project_states)
      state.put({label, plan::to_string(s)}, s == r.state ? 1 : 0);
    in_sync.put({label}, r.in_sync ? 1 : 0);
    healthy.put({label}, r.healthy ? 1 : 0);
    reachable.put({label}, r.reachable ? 1 : 0);
    orphans.put({label}, static_cast<double>(r.orphans.size()));
    const auto held = std::count_if(r.jobs.begin(), r.jobs.end(), [](const plan::job_report& j) {
      return j.state == plan::job_state::suspended;
    });
    suspended_jobs.put({label}, static_cast<double>(held));
    ambiguous.put({label}, static_cast<double>(r.ambiguous_ids.size()));
    add_differences(label, "", r.differences);
  }
};

}  // namespace

std::vector<prometheus::MetricFamily> report_samples(const reports& all,
                                                     const label_bounds& bounds) {
  report_gauges g;
  for (const auto& [name, report] : all) {
    const std::string project = bounds.has(name) ? name : overflow_label;
    g.add_project(project, report);
    for (const auto& job : report.jobs)
      g.add_job(project, bounds.has(name, job.key) ? job.key : overflow_label, job);
  }
  std::vector<prometheus::MetricFamily> out;
  for (auto* each :
       {&g.state, &g.in_sync, &g.healthy, &g.reachable, &g.job_state, &g.differences,
        &g.unappliable, &g.orphans, &g.ambiguous, &g.suspended_jobs, &g.last_success, &g.last_run_duration})
    out.push_back(each->take());
  return out;
}

}  // namespace cmlrec::telemetry
