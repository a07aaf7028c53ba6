// A project as the text of a file: what load() reads back as it was.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/desired.hpp"

namespace cmlrec::config {

struct writing_options {
  std::vector<std::string> head;             // lines of comment at the top
  std::map<std::string, std::string> about;  // key of a job -> a line of comment above it
  bool watch_only = false;                   // `run: never` for all jobs, as a default of the file
};

struct written_file {
  std::string text;
  // Variables that stand for secrets as ${NAME}: they must be set where the file is read.
  std::vector<std::string> variables;
};

// Writes the fields that CML has, the parents and the names. A secret text is never written: a
// variable stands for it, by the name of the key in `environment`, else of the field. Where two
// secrets differ, or the name is one that the daemon reads for itself, JOB_ and the key of the job
// stand before it.
written_file write_project(const project_spec& project, const writing_options& options);

}  // namespace cmlrec::config
