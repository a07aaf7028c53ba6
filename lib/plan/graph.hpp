// Who depends on whom among the jobs of a file.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/desired.hpp"

namespace cmlrec::plan {

class job_graph {
 public:
  // `jobs` must outlive the graph; parents are keys of it and there is no cycle (config/ sees to it).
  explicit job_graph(const std::vector<config::job_spec>& jobs);

  const config::job_spec* find(const std::string& key) const;
  const config::job_spec* parent_of(const config::job_spec& job) const;
  // Every job below, at any depth.
  std::vector<const config::job_spec*> descendants(const config::job_spec& job) const;
  // Parents before their children, otherwise in the order of the file.
  const std::vector<const config::job_spec*>& in_order() const { return order_; }

 private:
  // The keys are those of the jobs themselves.
  std::unordered_map<std::string_view, const config::job_spec*> by_key_;
  std::unordered_map<std::string_view, std::vector<const config::job_spec*>> children_;
  std::vector<const config::job_spec*> order_;
};

}  // namespace cmlrec::plan
