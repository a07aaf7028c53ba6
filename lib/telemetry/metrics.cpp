#include "telemetry/metrics.hpp"

#include "telemetry/metric_table.hpp"
#include "telemetry/samples.hpp"
#include "telemetry/text.hpp"

#include <algorithm>
#include <deque>
#include <iterator>
#include <set>
#include <utility>
#include <vector>

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace cmlrec::telemetry {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;

constexpr std::size_t beats_kept = 60;
// The client has about fifteen operations and an action is one of eight; a mistake that puts ids
// into either must not grow without end.
constexpr std::size_t most_words = 100;

const char* word(reconcile::pass_result result) {
  switch (result) {
    case reconcile::pass_result::converged:
      return "converged";
    case reconcile::pass_result::progressing:
      return "progressing";
    case reconcile::pass_result::degraded:
      return "degraded";
    case reconcile::pass_result::suspended:
      return "suspended";
    case reconcile::pass_result::failed:
      return "failed";
  }
  return "failed";
}

template <class Builder>
auto& registered(prometheus::Registry& registry, Builder builder, metric_id id) {
  const auto& row = describe(id);
  return builder.Name(std::string(row.name)).Help(std::string(row.help)).Register(registry);
}

prometheus::Labels labels_of(metric_id id, const std::vector<std::string>& values) {
  const auto& names = describe(id).labels;
  prometheus::Labels out;
  for (std::size_t i = 0; i < values.size(); ++i)
    out.emplace(std::string(names[i]), valid_utf8(values[i]));
  return out;
}

// The series of one counter family that bear the label `project`, and perhaps `job`, so that they can
// be removed.
class project_counters {
 public:
  project_counters(prometheus::Registry& registry, metric_id id)
      : id_(id), family_(registered(registry, prometheus::BuildCounter(), id)) {}

  void count(const std::vector<std::string>& labels, const std::string& job = "") {
    auto& counter = family_.Add(labels_of(id_, labels));
    counter.Increment();
    by_project_[labels.front()][job].insert(&counter);
  }

  void remove(const std::string& project) {
    const auto found = by_project_.find(project);
    if (found == by_project_.end()) return;
    for (const auto& [job, counters] : found->second)
      for (auto* counter : counters) family_.Remove(counter);
    by_project_.erase(found);
  }

  void remove(const std::string& project, const std::string& job) {
    const auto found = by_project_.find(project);
    if (found == by_project_.end()) return;
    const auto of_job = found->second.find(job);
    if (of_job == found->second.end()) return;
    for (auto* counter : of_job->second) family_.Remove(counter);
    found->second.erase(of_job);
  }

 private:
  metric_id id_;
  Family<Counter>& family_;
  std::map<std::string, std::map<std::string, std::set<Counter*>>> by_project_;
};

class bounded_words {
 public:
  std::string admit(const std::string& word) {
    if (known_.count(word) > 0) return word;
    if (known_.size() >= most_words) return overflow_label;
    known_.insert(word);
    return word;
  }

 private:
  std::set<std::string> known_;
};

class prometheus_metrics final : public metrics {
 public:
  prometheus_metrics(label_bounds& bounds, const std::string& version, core::timestamp started)
      : bounds_(bounds),
        passes_(registry_, metric_id::passes),
        actions_(registry_, metric_id::actions),
        runs_(registry_, metric_id::runs),
        drift_(registry_, metric_id::drift),
        pass_duration_(
            histogram(metric_id::pass_duration).Add({}, buckets(metric_id::pass_duration))),
        calls_(registered(registry_, prometheus::BuildCounter(), metric_id::api_calls)),
        call_duration_(histogram(metric_id::api_call_duration)),
        retries_(registered(registry_, prometheus::BuildCounter(), metric_id::api_retries)),
        rate_limit_wait_(
            registered(registry_, prometheus::BuildCounter(), metric_id::rate_limit_wait).Add({})),
        circuit_(gauge(metric_id::circuit_open)),
        reloads_(registered(registry_, prometheus::BuildCounter(), metric_id::config_reloads)),
        reload_ok_(gauge(metric_id::config_last_reload_successful)),
        reload_at_(gauge(metric_id::config_last_reload_success)),
        audit_failures_(
            registered(registry_, prometheus::BuildCounter(), metric_id::audit_failures).Add({})),
        notifications_(registered(registry_, prometheus::BuildCounter(), metric_id::notifications)),
        notify_queue_(gauge(metric_id::notify_queue)),
        lag_(gauge(metric_id::event_loop_lag)) {
    // A counter that begins at 0 shows its first increase.
    reloads_.Add(labels_of(metric_id::config_reloads, {"success"}));
    reloads_.Add(labels_of(metric_id::config_reloads, {"failure"}));
    for (const char* result : {"delivered", "failed", "dropped"})
      notifications_.Add(labels_of(metric_id::notifications, {result}));
    reload_ok_.Set(1);
    reload_at_.Set(core::in_seconds(started.time_since_epoch()));
    registered(registry_, prometheus::BuildGauge(), metric_id::build_info)
        .Add(labels_of(metric_id::build_info, {version}))
        .Set(1);
  }

  void pass(const std::string& project, reconcile::pass_result result,
            core::duration took) override {
    passes_.count({bounds_.admit(project), word(result)});
    pass_duration_.Observe(core::in_seconds(took));
  }

  void action(const std::string& project, const std::string& action, bool ok) override {
    actions_.count({bounds_.admit(project), words_.admit(action), ok ? "success" : "failure"});
  }

  void run_ended(const std::string& project, const std::string& job,
                 const std::string& outcome) override {
    const auto shown = bounds_.has(project, job) ? job : overflow_label;
    runs_.count({bounds_.admit(project), shown, words_.admit(outcome)}, shown);
  }

  void drifted(const std::string& project, const std::string& kind,
               const std::string& field) override {
    drift_.count({bounds_.admit(project), kind, fields_.admit(field)});
  }

  void attempt(const std::string& operation, int status, core::duration took) override {
    const auto name = operations_.admit(operation);
    const bool known = status >= 100 && status <= 599;
    const auto code = status == 0 ? "none" : known ? std::to_string(status) : "other";
    calls_.Add(labels_of(metric_id::api_calls, {name, code})).Increment();
    call_duration_
        .Add(labels_of(metric_id::api_call_duration, {name}), buckets(metric_id::api_call_duration))
        .Observe(core::in_seconds(took));
  }

  void retry(const std::string& operation, core::error_kind kind) override {
    retries_
        .Add(labels_of(metric_id::api_retries,
                       {operations_.admit(operation), core::to_string(kind)}))
        .Increment();
  }

  void rate_limited(core::duration waited) override {
    rate_limit_wait_.Increment(std::max(0.0, core::in_seconds(waited)));
  }

  void circuit(bool open) override { circuit_.Set(open ? 1 : 0); }

  void reload(bool ok, core::timestamp at) override {
    reloads_.Add(labels_of(metric_id::config_reloads, {ok ? "success" : "failure"})).Increment();
    reload_ok_.Set(ok ? 1 : 0);
    if (ok) reload_at_.Set(core::in_seconds(at.time_since_epoch()));
  }

  void audit_failed() override { audit_failures_.Increment(); }

  void notification(const std::string& result) override {
    notifications_.Add(labels_of(metric_id::notifications, {words_.admit(result)})).Increment();
  }

  void notify_queue(std::size_t length) override {
    notify_queue_.Set(static_cast<double>(length));
  }

  void loop_lag(core::duration lag) override {
    beats_.push_back(lag);
    if (beats_.size() > beats_kept) beats_.pop_front();
    lag_.Set(core::in_seconds(*std::max_element(beats_.begin(), beats_.end())));
  }

  void removed(const std::string& project) override {
    // Those that share "_other" go on sharing it.
    if (!bounds_.has(project)) return;
    passes_.remove(project);
    actions_.remove(project);
    runs_.remove(project);
    drift_.remove(project);
    bounds_.release(project);
  }

  void job_removed(const std::string& project, const std::string& job) override {
    runs_.remove(project, job);
  }

  std::string text(const reports& all) const override {
    auto families = registry_.Collect();
    for (auto& family : families) {
      const auto by_labels = [](const prometheus::ClientMetric& a,
                                const prometheus::ClientMetric& b) { return a.label < b.label; };
      std::sort(family.metric.begin(), family.metric.end(), by_labels);
    }
    const auto add = [&](std::vector<prometheus::MetricFamily> more) {
      std::move(more.begin(), more.end(), std::back_inserter(families));
    };
    add(report_samples(all, bounds_));
    add(process_samples());
    const auto is_empty = [](const prometheus::MetricFamily& f) { return f.metric.empty(); };
    families.erase(std::remove_if(families.begin(), families.end(), is_empty), families.end());
    std::sort(families.begin(), families.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    return prometheus::TextSerializer{}.Serialize(families);
  }

 private:
  Gauge& gauge(metric_id id) { return registered(registry_, prometheus::BuildGauge(), id).Add({}); }
  Family<Histogram>& histogram(metric_id id) {
    return registered(registry_, prometheus::BuildHistogram(), id);
  }
  static Histogram::BucketBoundaries buckets(metric_id id) { return describe(id).buckets; }

  prometheus::Registry registry_;
  label_bounds& bounds_;
  bounded_words words_;
  bounded_words operations_;
  bounded_words fields_;
  project_counters passes_;
  project_counters actions_;
  project_counters runs_;
  project_counters drift_;
  Histogram& pass_duration_;
  Family<Counter>& calls_;
  Family<Histogram>& call_duration_;
  Family<Counter>& retries_;
  Counter& rate_limit_wait_;
  Gauge& circuit_;
  Family<Counter>& reloads_;
  Gauge& reload_ok_;
  Gauge& reload_at_;
  Counter& audit_failures_;
  Family<Counter>& notifications_;
  Gauge& notify_queue_;
  Gauge& lag_;
  std::deque<core::duration> beats_;
};

}  // namespace

std::unique_ptr<metrics> make_metrics(label_bounds& bounds, const std::string& version,
                                      core::timestamp started) {
  return std::make_unique<prometheus_metrics>(bounds, version, started);
}

}  // namespace cmlrec::telemetry
