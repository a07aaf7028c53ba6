#include "core/digest.hpp"

#include <array>
#include <stdexcept>

#include <openssl/evp.h>

namespace cmlrec::core {

std::string sha256_hex(std::string_view data) {
  // Looked up once: that takes longer than a short text's digest.
  static EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  std::array<unsigned char, 32> digest{};
  if (sha256 == nullptr ||
      EVP_Digest(data.data(), data.size(), digest.data(), nullptr, sha256, nullptr) != 1)
    throw std::runtime_error("OpenSSL has no SHA-256");
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  out.reserve(digest.size() * 2);
  for (const unsigned char byte : digest) {
    out += digits[byte >> 4];
    out += digits[byte & 15U];
  }
  return out;
}

}  // namespace cmlrec::core
