// Text from outside made fit for a log line, a label or JSON.
#pragma once

#include <string>
#include <string_view>

namespace cmlrec::telemetry {

// Bytes that are not UTF-8 are replaced by U+FFFD: CML's messages may hold anything.
std::string valid_utf8(std::string_view text);

// At most `most` bytes and a note of how many more there were; never cut within a character.
std::string shortened(std::string text, std::size_t most);

}  // namespace cmlrec::telemetry
