// Letters of ASCII, whatever the locale says: names of hosts, schemes and statuses hold no others.
#pragma once

#include <string>
#include <string_view>

namespace cmlrec::core {

// A to Z become a to z; every other byte stays.
inline std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

}  // namespace cmlrec::core
