// CML's JSON: bodies are written from, and answers read by, the tables of core/fields.hpp. Types
// differ between create, PATCH and read; both forms are accepted when reading. Unknown members are
// ignored. Errors name the path inside the document: "jobs[3].timeout: expected a number".
#pragma once

#include "cml/models.hpp"
#include "core/error.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace cmlrec::cml {

template <class T>
struct page {
  std::vector<T> items;
  std::string next_token;  // empty: the last page
};

core::result<project> decode_project(std::string_view json);
core::result<job> decode_job(std::string_view json);
core::result<run> decode_run(std::string_view json);
core::result<key_check> decode_key_check(std::string_view json);
core::result<page<project>> decode_projects(std::string_view json);
core::result<page<job>> decode_jobs(std::string_view json);
core::result<page<run>> decode_runs(std::string_view json);

std::string encode_create(const project_write& body);
std::string encode_patch(const project_write& body);
std::string encode_create(const std::string& project_id, const job_write& body);
std::string encode_patch(const job_write& body);
std::string encode_start(const std::string& project_id, const std::string& job_id,
                         const run_request& body);

// {"error","code","message","details"} -> the message for people; a short piece of the body where
// it is something else. Never longer than 300 characters, on one line.
std::string server_message(std::string_view body);

}  // namespace cmlrec::cml
