#include "plan/graph.hpp"

namespace cmlrec::plan {

job_graph::job_graph(const std::vector<config::job_spec>& jobs) {
  by_key_.reserve(jobs.size());
  for (const auto& job : jobs) by_key_[job.key] = &job;
  std::vector<const config::job_spec*> ready;
  ready.reserve(jobs.size());
  for (const auto& job : jobs) {
    if (parent_of(job) != nullptr)
      children_[*job.parent_key].push_back(&job);
    else
      ready.push_back(&job);
  }
  for (std::size_t i = 0; i < ready.size(); ++i) {
    order_.push_back(ready[i]);
    if (const auto found = children_.find(ready[i]->key); found != children_.end())
      for (const auto* child : found->second) ready.push_back(child);
  }
}

const config::job_spec* job_graph::find(const std::string& key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : found->second;
}

const config::job_spec* job_graph::parent_of(const config::job_spec& job) const {
  return job.parent_key ? find(*job.parent_key) : nullptr;
}

std::vector<const config::job_spec*> job_graph::descendants(const config::job_spec& job) const {
  std::vector<const config::job_spec*> out;
  std::vector<const config::job_spec*> open = {&job};
  while (!open.empty()) {
    const auto* next = open.back();
    open.pop_back();
    if (const auto found = children_.find(next->key); found != children_.end())
      for (const auto* child : found->second) {
        out.push_back(child);
        open.push_back(child);
      }
  }
  return out;
}

}  // namespace cmlrec::plan
