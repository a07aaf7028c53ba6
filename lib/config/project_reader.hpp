// One project of the file: its fields, its jobs and its checks.
#pragma once

#include "config/job_reader.hpp"

#include <string>
#include <vector>

namespace cmlrec::config {

// A project before what depends on all the files together: default names and environment.
struct project_draft {
  project_spec spec;
  report* out = nullptr;  // of the file that it stands in
  place at;
  place id_at;
  place git_at;
  bool is_named = false;  // by the file
};

// The keys that a project has beside the fields of its table.
std::vector<std::string_view> project_parts();  // jobs, defaults, verify

// The projects of one file, whose tree is `top`.
std::vector<project_draft> read_projects(const reading& r, const node& top);

// The list "verify:"; `jobs` are those of the project.
std::vector<check_spec> read_verify(const reading& r, const node& n,
                                    const std::vector<job_draft>& jobs);

// The keys of a check that is an HTTP request or a job, with aliases after their name.
struct check_key {
  std::vector<std::string_view> names;
  core::field_type type;
  std::string_view help;
};
std::span<const check_key> check_keys_table();

// "owner/name" -> "https://github.com/owner/name"; a URL, and user@host:path, as they are. Nothing
// for any other text.
std::optional<std::string> repository_url(std::string_view text);
// Puts the token into an https URL of github.com that has no credentials; true where it did.
bool add_token(std::string& url, const std::string& token);
// Whether the URL carries a password or a token.
bool has_credentials(const std::string& url);
// xxxx-xxxx-xxxx-xxxx
bool is_project_id(std::string_view text);

}  // namespace cmlrec::config
