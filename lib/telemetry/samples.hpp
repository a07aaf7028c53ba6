// Samples that are computed when they are asked for, rather than kept up to date.
#pragma once

#include "plan/report.hpp"
#include "telemetry/label_bounds.hpp"

#include <map>
#include <string>
#include <vector>

#include <prometheus/metric_family.h>

namespace cmlrec::telemetry {

using reports = std::map<std::string, plan::project_report>;

// Everything that follows from the newest reports: what has gone from them has no series.
std::vector<prometheus::MetricFamily> report_samples(const reports& all,
                                                     const label_bounds& bounds);

// Of this process, from /proc; what cannot be read is left out.
std::vector<prometheus::MetricFamily> process_samples();

}  // namespace cmlrec::telemetry
