// SHA-256, for naming a definition by its content.
#pragma once

#include <string>
#include <string_view>

namespace cmlrec::core {

// 64 lower-case hexadecimal digits.
std::string sha256_hex(std::string_view data);

}  // namespace cmlrec::core
