#include "telemetry/label_bounds.hpp"

namespace cmlrec::telemetry {

std::string label_bounds::admit(const std::string& project) {
  if (has(project)) return project;
  if (used_ >= most_) return overflow_label;
  admitted_[project];
  ++used_;
  return project;
}

void label_bounds::admit(const plan::project_report& report) {
  if (admit(report.name) != report.name) return;
  auto& jobs = admitted_[report.name];
  std::set<std::string> kept;
  for (const auto& job : report.jobs)
    if (jobs.count(job.key) > 0) kept.insert(job.key);
  used_ -= jobs.size() - kept.size();
  jobs = std::move(kept);
  for (const auto& job : report.jobs) {
    if (used_ >= most_) return;
    if (jobs.insert(job.key).second) ++used_;
  }
}

void label_bounds::release(const std::string& project) {
  const auto found = admitted_.find(project);
  if (found == admitted_.end()) return;
  used_ -= 1 + found->second.size();
  admitted_.erase(found);
}

bool label_bounds::has(const std::string& project, const std::string& job) const {
  const auto found = admitted_.find(project);
  return found != admitted_.end() && found->second.count(job) > 0;
}

}  // namespace cmlrec::telemetry
