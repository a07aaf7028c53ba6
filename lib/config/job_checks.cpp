#include "config/job_reader.hpp"
#include "config/suggest.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace cmlrec::config {
namespace {

using index = std::map<std::string_view, job_draft*>;

void check_names(const reading& r, const std::vector<job_draft>& jobs) {
  std::map<std::string_view, const job_draft*> by_name;
  for (const auto& job : jobs) {
    const auto [first, fresh] = by_name.try_emplace(job.spec.name, &job);
    if (fresh) continue;
    r.out.error(job.name_at,
                "job '" + job.spec.key + "' has the name of job '" + first->second->spec.key +
                    "' (line " + std::to_string(first->second->name_at.line) +
                    "); expected names that differ, because CML's jobs are found by name");
  }
}

bool looks_like_an_id(std::string_view text) {
  if (text.size() != 19) return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if ((text[i] == '-') != (i % 5 == 4)) return false;
  return true;
}

// Only parents that exist are left in place, so that the walks below end.
void check_parents(const reading& r, std::vector<job_draft>& jobs, const index& by_key) {
  std::vector<std::string_view> keys;
  for (const auto& job : jobs) keys.emplace_back(job.spec.key);
  for (auto& job : jobs) {
    auto& parent = job.spec.parent_key;
    if (!parent) continue;
    const std::string who = "job '" + job.spec.key + "'";
    if (*parent == job.spec.key) {
      r.out.error(job.parent_at, who + " is its own parent; expected another job's key, or null");
      parent.reset();
    } else if (!by_key.contains(*parent)) {
      const std::string hint = looks_like_an_id(*parent)
                                   ? "this is an id of CML, but a key of this file was expected"
                                   : suggestion(*parent, keys);
      r.out.error(job.parent_at,
                  who + " has the unknown parent '" + job.parent_shown + "'; " + hint);
      parent.reset();
    }
  }
}

void check_cycles(const reading& r, std::vector<job_draft>& jobs, const index& by_key) {
  std::set<const job_draft*> done;
  std::vector<job_draft*> entries;
  for (auto& job : jobs) {
    std::vector<job_draft*> path;
    job_draft* at = &job;
    while (at != nullptr && !done.contains(at)) {
      const auto seen = std::find(path.begin(), path.end(), at);
      if (seen != path.end()) {
        // Told from the job that stands first in the file, wherever the walk has begun.
        std::rotate(seen, std::min_element(seen, path.end()), path.end());
        std::string cycle;
        for (auto step = seen; step != path.end(); ++step) cycle += (*step)->spec.key + " -> ";
        r.out.error((*seen)->parent_at, "the parents form a cycle: " + cycle + (*seen)->spec.key +
                                            "; expected a first job without a parent");
        entries.push_back(*seen);
        break;
      }
      path.push_back(at);
      at = at->spec.parent_key ? by_key.at(*at->spec.parent_key) : nullptr;
    }
    done.insert(path.begin(), path.end());
  }
  for (job_draft* entry : entries) entry->spec.parent_key.reset();
}

// The nearest ancestor that is only watched; null where there is none.
const job_draft* watched_ancestor(const job_draft& job, const index& by_key) {
  const job_draft* at = &job;
  while (at->spec.parent_key) {
    at = by_key.at(*at->spec.parent_key);
    if (at->spec.run == run_policy::never) return at;
  }
  return nullptr;
}

void settle_watched(const reading& r, std::vector<job_draft>& jobs, const index& by_key) {
  // All are found before any is changed: the answer must not depend on the order of the file.
  std::vector<std::pair<job_draft*, const job_draft*>> watched;
  for (auto& job : jobs)
    if (const job_draft* ancestor = watched_ancestor(job, by_key))
      watched.emplace_back(&job, ancestor);
  for (const auto& [job, ancestor] : watched) {
    if (job->run_is_explicit && job->spec.run != run_policy::never)
      r.out.warning(job->run_at, "run: job '" + job->spec.key + "' is only watched, because job '" +
                                     ancestor->spec.key + "' above it is (run: never)");
    job->spec.run = run_policy::never;
  }
}

}  // namespace

void check_jobs(const reading& r, std::vector<job_draft>& jobs) {
  index by_key;
  for (auto& job : jobs) by_key.emplace(job.spec.key, &job);
  check_names(r, jobs);
  check_parents(r, jobs, by_key);
  check_cycles(r, jobs, by_key);
  settle_watched(r, jobs, by_key);
}

}  // namespace cmlrec::config
