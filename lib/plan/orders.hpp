// What operators ask of the daemon, and how it gets into what a project remembers.
#pragma once

#include "plan/memory.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

namespace cmlrec::plan {

// Of a project, or of one of its jobs.
struct order {
  enum class kind { force, retry, suspend, resume };
  kind what = kind::force;
  std::string project;
  const config::job_spec* job = nullptr;  // null: all jobs
  std::optional<suspension> held;         // of suspend
};

// True: something is held still from now on that was not, so that nothing which was planned before
// may begin. Resuming a project resumes all of its jobs.
bool note_order(project_memory& memory, const order& o, moment now);

// Stamps what was asked for: stale is every run that is known by now. To be called when the histories
// of all jobs have been read.
void stamp_force(project_memory& memory, const config::project_spec& wanted,
                 const observation& seen, moment now);

// The names of the jobs of which something was asked, with all that is below what is to be forced.
std::unordered_set<std::string_view> asked_of(const project_memory& memory,
                                              const config::project_spec& wanted);

// Whether something is to be stamped now, by stamp_force or by stamp_retries: it was asked for, the
// runs of all jobs are known, and those of the jobs that it is about as they were when it was asked
// for. (Of a project that is suspended they are not read.)
bool has_requests(const project_memory& memory, const config::project_spec& wanted,
                  const observation& seen);
// Gives the jobs their attempts anew whose retry was asked for: what had failed or been stopped by
// now is tried again. To be called when the histories of all jobs have been read.
void stamp_retries(project_memory& memory, const config::project_spec& wanted,
                   const observation& seen);

// Gives every job its attempts anew: failures of runs that have ended by now do not count. One that
// is active is an attempt that is still open. To be called when the histories have been read.
void stamp_attempts(project_memory& memory, const config::project_spec& wanted,
                    const observation& seen);

}  // namespace cmlrec::plan
