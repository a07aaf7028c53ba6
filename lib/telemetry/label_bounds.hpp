// A bound on the values of the labels `project` and `job`, so that a file of ten thousand jobs does
// not burden whoever collects the metrics.
#pragma once

#include "plan/report.hpp"

#include <cstddef>
#include <map>
#include <set>
#include <string>

namespace cmlrec::telemetry {

// What stands for all that found no room.
inline constexpr const char* overflow_label = "_other";

class label_bounds {
 public:
  explicit label_bounds(std::size_t most) : most_(most) {}

  // The name itself, or overflow_label. First come, first served; a name that has a place keeps it.
  std::string admit(const std::string& project);
  // Gives places to the project and its jobs; frees those of its jobs that have gone.
  void admit(const plan::project_report& report);
  void release(const std::string& project);

  // As admit() decided.
  bool has(const std::string& project) const { return admitted_.count(project) > 0; }
  bool has(const std::string& project, const std::string& job) const;

 private:
  std::map<std::string, std::set<std::string>> admitted_;
  std::size_t most_;
  std::size_t used_ = 0;
};

}  // namespace cmlrec::telemetry
