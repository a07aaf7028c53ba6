// The CML API as the daemon uses it: one of the two seams (with core::clock). Implemented over HTTP
// by http_api.hpp, and in memory by the tests.
//
// Every list is whole or an error: a page that failed, or a repeated page token, fails the list. Its
// deadline is that of the first page; each page has as much time.
// Reads, PATCH and DELETE are retried inside, within the deadline. POST is sent exactly once: its
// error says in may_have_happened whether it must be looked up before it is repeated.
#pragma once

#include "cml/models.hpp"
#include "core/error.hpp"
#include "core/time.hpp"

#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

namespace cmlrec::cml {

template <class T>
using async_result = boost::asio::awaitable<core::result<T>>;

struct runs_page {
  std::vector<run> runs;  // newest first by created_at
  bool complete = false;  // the whole history, not only its newest part
};

class api {
 public:
  virtual ~api() = default;

  // Every project that the key can see whose name contains `name` (CML's filter matches
  // substrings): the caller matches exactly.
  virtual async_result<std::vector<project>> list_projects(std::string name,
                                                           core::instant deadline) = 0;
  virtual async_result<project> get_project(std::string project_id, core::instant deadline) = 0;
  virtual async_result<project> create_project(project_write body, core::instant deadline) = 0;
  virtual async_result<project> update_project(std::string project_id, project_write body,
                                               core::instant deadline) = 0;

  virtual async_result<std::vector<job>> list_jobs(std::string project_id,
                                                   core::instant deadline) = 0;
  virtual async_result<job> create_job(std::string project_id, job_write body,
                                       core::instant deadline) = 0;
  virtual async_result<job> update_job(std::string project_id, std::string job_id, job_write body,
                                       core::instant deadline) = 0;
  // Not found counts as deleted: the object is gone either way.
  virtual async_result<bool> delete_job(std::string project_id, std::string job_id,
                                        core::instant deadline) = 0;

  // The newest runs. Pages are read until the history ends, `most` runs have been read, or there is
  // a success among at least 50 runs of more than an hour. A server that ignores the sort is noticed by its order, and then all of the
  // history is read (up to 10,000 runs, past which it is an error).
  virtual async_result<runs_page> list_runs(std::string project_id, std::string job_id, int most,
                                            core::instant deadline) = 0;
  virtual async_result<run> get_run(std::string project_id, std::string job_id, std::string run_id,
                                    core::instant deadline) = 0;
  virtual async_result<run> start_run(std::string project_id, std::string job_id, run_request body,
                                      core::instant deadline) = 0;
  virtual async_result<run> stop_run(std::string project_id, std::string job_id, std::string run_id,
                                     core::instant deadline) = 0;

  virtual async_result<key_check> validate_key(core::instant deadline) = 0;

  // CML's calendar, from the Date header of its newest answer plus the time since then; this
  // machine's where there has been none.
  virtual core::timestamp server_time() const = 0;
};

}  // namespace cmlrec::cml
