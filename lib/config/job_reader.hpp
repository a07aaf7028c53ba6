// The map "jobs:" of one project, and what holds between its jobs.
#pragma once

#include "config/field_reader.hpp"

#include <string>
#include <vector>

namespace cmlrec::config {

// A job with the places that checks across jobs complain about.
struct job_draft {
  job_spec spec;
  place at;  // of its key
  place name_at;
  place parent_at;
  std::string parent_shown;  // as the file writes it
  bool run_is_explicit = false;
  place run_at;
};

// The fields of a job that `defaults:` may not hold.
std::vector<std::string_view> fields_without_default();
given_fields read_defaults(const reading& r, const node& n);

// `runtime`: what a job without a runtime of its own gets; may be nothing.
std::vector<job_draft> read_jobs(const reading& r, const node& n, const given_fields& defaults,
                                 const std::optional<core::text>& runtime);

// Duplicate names, unknown parents, cycles; then which jobs are only watched.
void check_jobs(const reading& r, std::vector<job_draft>& jobs);

}  // namespace cmlrec::config
