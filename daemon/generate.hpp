// Documents that are made from the tables of the code, so that nothing is written down twice.
#pragma once

#include <string>

namespace cmlrec::daemon {

// `what`: man (the manual page, troff), bash, zsh, fish (completion scripts), metrics (Markdown),
// api (Markdown), openapi (JSON).
// Throws std::invalid_argument for any other word.
std::string generate(const std::string& what, const std::string& version);

}  // namespace cmlrec::daemon
