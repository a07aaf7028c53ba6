// A live project as a desired state: what a file has to say for the planner to find no difference.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cml/models.hpp"
#include "config/desired.hpp"

namespace cmlrec::plan {

struct imported {
  config::project_spec project;              // jobs: parents before their children
  std::map<std::string, std::string> about;  // key of a job -> what of it the file does not say
  std::vector<std::string> left_out;         // sentences: what no file can say
};

// Takes over the fields that differ from CML's defaults. Values of an environment that look like
// secrets, by the name of their key or as a URL with a password, become secret texts. Pure.
imported import_project(const cml::project& live, const std::vector<cml::job>& jobs);

// Whether a value of an environment should not be shown.
bool looks_secret(const std::string& key, const std::string& value);

}  // namespace cmlrec::plan
