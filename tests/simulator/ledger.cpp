#include "simulator/ledger.hpp"

#include <algorithm>

namespace cmlrec::simulator {
namespace {

// A client that repeats one mistake for hours must not fill the memory.
constexpr std::size_t most_violations = 1000;

}  // namespace

void ledger::count_call(const std::string& operation, bool is_write) {
  ++calls_[operation];
  if (is_write) ++writes_;
}

void ledger::note_violation(std::string text) {
  if (violations_.size() < most_violations) violations_.push_back(std::move(text));
}

void ledger::enter() { most_in_flight_ = std::max(most_in_flight_, ++in_flight_); }

void ledger::project_created(const project& p, bool name_was_taken) {
  projects_.push_back(json::object{
      {"id", p.id}, {"name", p.name()}, {"created_at", core::format_timestamp(p.created_at)}});
  if (name_was_taken) ++duplicates_;
}

void ledger::job_created(const project& p, const job& j, bool name_was_taken) {
  jobs_.push_back(json::object{{"id", j.id},
                               {"name", j.text("name")},
                               {"project", p.name()},
                               {"project_id", p.id},
                               {"created_at", core::format_timestamp(j.created_at)}});
  if (name_was_taken) ++duplicates_;
}

void ledger::run_changed(const project& p, const job& j, const run& r) {
  auto found = run_index_.find(r.id);
  if (found == run_index_.end()) {
    if (r.status != "ENGINE_SCHEDULING" && r.status != "ENGINE_SKIPPED") return;
    found = run_index_.emplace(r.id, runs_.size()).first;
    runs_.push_back({p.name(), j.text("name"), j.id, r.id, r.cause, {}, r.created_at, {}});
  }
  runs_[found->second].status = r.status;
  runs_[found->second].finished_at = r.finished_at;
}

void ledger::child_triggered_early(const project& p, const job& j) {
  early_.push_back(p.name() + "/" + j.text("name"));
}

json::object ledger::report() const {
  json::object calls;
  for (const auto& [operation, n] : calls_) calls[operation] = n;
  json::object faults;
  for (const auto& [kind, n] : faults_) faults[kind] = n;
  json::array runs;
  json::object causes{{"api", 0}, {"dependency", 0}, {"manual", 0}, {"retry", 0}, {"schedule", 0}};
  std::uint64_t skipped = 0;
  for (const auto& r : runs_) {
    json::object entry{{"job", r.job},       {"project", r.project},
                       {"job_id", r.job_id}, {"run_id", r.run_id},
                       {"cause", r.cause},   {"created_at", core::format_timestamp(r.created_at)},
                       {"status", r.status}};
    if (r.finished_at) entry["finished_at"] = core::format_timestamp(*r.finished_at);
    runs.push_back(std::move(entry));
    if (r.status == "ENGINE_SKIPPED") {
      ++skipped;
      continue;
    }
    causes[r.cause] = causes[r.cause].to_number<std::int64_t>() + 1;
  }
  json::array violations;
  for (const auto& v : violations_) violations.emplace_back(v);
  json::array early;
  for (const auto& e : early_) early.emplace_back(e);
  return {{"calls", std::move(calls)},
          {"created", {{"projects", projects_}, {"jobs", jobs_}}},
          {"duplicate_names", duplicates_},
          {"runs", std::move(runs)},
          {"runs_by_cause", std::move(causes)},
          {"runs_skipped", skipped},
          {"children_triggered_early", early_.size()},
          {"early_children", std::move(early)},
          {"in_flight", in_flight_},
          {"most_in_flight", most_in_flight_},
          {"writes", writes_},
          {"rejected", rejected_},
          {"faults", std::move(faults)},
          {"violations", std::move(violations)}};
}

void ledger::reset() {
  const auto in_flight = in_flight_;
  *this = ledger();
  in_flight_ = most_in_flight_ = in_flight;
}

}  // namespace cmlrec::simulator
