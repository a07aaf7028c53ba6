// From a file, or a directory of files, to the desired state. No network, no daemon.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/desired.hpp"

namespace cmlrec::config {

// One thing that is wrong, or worth a warning: "FILE:LINE:COL: what is wrong; what was expected".
struct finding {
  std::string file;
  int line = 0;    // from 1; 0: the file as a whole
  int column = 0;  // from 1
  std::string message;
};
std::string to_string(const finding& f);

// Values of the environment (of the process, or of a test).
using environment = std::function<std::optional<std::string>(std::string_view)>;

// What stands in for what the file leaves out.
struct load_context {
  environment env;
  std::optional<std::string> project_name;  // --project; before CML_PROJECT_NAME
};

struct loaded {
  std::optional<desired_state> state;  // nothing where there is an error
  std::vector<finding> errors;         // all of them, in the order of the text
  std::vector<finding> warnings;
};

// `path`: a file, or a directory in which every *.yaml and *.yml is read in the order of its names.
loaded load(const std::string& path, const load_context& context);
// The same for a text that is already in memory; `name` is what findings call it.
loaded load_text(std::string_view text, const std::string& name, const load_context& context);

// The JSON Schema (draft 2020-12) of the file, generated from the field tables.
std::string json_schema();

}  // namespace cmlrec::config
