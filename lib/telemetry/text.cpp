#include "telemetry/text.hpp"

#include <algorithm>
#include <cstdint>

namespace cmlrec::telemetry {
namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

// The length of the character at the front, 0 where it is none: overlong forms, surrogates and what
// lies past U+10FFFF count as none.
std::size_t character_length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80U) return 1;
  std::size_t length = 0;
  std::uint32_t code = 0;
  std::uint32_t least = 0;
  if ((first & 0xE0U) == 0xC0U) {
    length = 2;
    code = first & 0x1FU;
    least = 0x80U;
  } else if ((first & 0xF0U) == 0xE0U) {
    length = 3;
    code = first & 0x0FU;
    least = 0x800U;
  } else if ((first & 0xF8U) == 0xF0U) {
    length = 4;
    code = first & 0x07U;
    least = 0x10000U;
  } else {
    return 0;
  }
  if (text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (!is_continuation(text[i])) return 0;
    code = (code << 6U) | (static_cast<unsigned char>(text[i]) & 0x3FU);
  }
  const bool surrogate = code >= 0xD800U && code <= 0xDFFFU;
  return code < least || code > 0x10FFFFU || surrogate ? 0 : length;
}

}  // namespace

std::string valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    // Nearly all of it is plain, and taken at once.
    const auto odd = std::find_if(text.begin(), text.end(),
                                  [](char c) { return static_cast<unsigned char>(c) >= 0x80U; });
    out.append(text.begin(), odd);
    text.remove_prefix(static_cast<std::size_t>(odd - text.begin()));
    if (text.empty()) break;
    const auto length = character_length(text);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
      text.remove_prefix(1);
    } else {
      out += text.substr(0, length);
      text.remove_prefix(length);
    }
  }
  return out;
}

std::string shortened(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  std::size_t end = most;
  while (end > 0 && is_continuation(text[end])) --end;
  const auto left = text.size() - end;
  text.resize(end);
  text += "... (" + std::to_string(left) + " bytes more)";
  return text;
}

}  // namespace cmlrec::telemetry
