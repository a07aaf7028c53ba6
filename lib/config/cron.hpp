// Whether a schedule is one that cron understands.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cmlrec::config {

// Five fields with lists, ranges, steps and English names, or a macro. Nothing where the expression
// is good, else what is wrong with it. The text itself is quoted only in pieces of 20 characters.
std::optional<std::string> cron_error(std::string_view expression);

}  // namespace cmlrec::config
