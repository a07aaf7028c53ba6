// ${VAR} and ${VAR:-default} in the values of the file.
#pragma once

#include "config/load.hpp"
#include "core/value.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace cmlrec::config {

struct expanded {
  core::text value;  // secret where anything in it came from the environment
  std::vector<std::string> errors;
};

// As in a shell, the default stands in for a variable that is missing or empty, and may itself hold
// variables. "$$" is a dollar; a dollar before anything else is itself. Errors name variables,
// never values.
expanded expand(std::string_view raw, const environment& env);

}  // namespace cmlrec::config
