// What the fuzz targets share. A target takes any bytes and throws `broken` where a promise of the
// code under test does not hold: libFuzzer sees an abort, GoogleTest a failed test.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace cmlrec::fuzz {

struct broken : std::logic_error {
  using std::logic_error::logic_error;
};

inline void require(bool holds, const std::string& promise) {
  if (!holds) throw broken(promise);
}

// Takes an input apart: a byte here, a line there.
class pieces {
 public:
  explicit pieces(std::string_view bytes) : rest_(bytes) {}

  unsigned byte() {
    if (rest_.empty()) return 0;
    const auto out = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    return out;
  }
  std::string line() {
    const auto end = rest_.find('\n');
    std::string out(rest_.substr(0, end));
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    return out;
  }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

inline bool has_control_character(std::string_view text) {
  for (const char c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return true;
  return false;
}

inline bool contains(std::string_view text, std::string_view what) {
  return text.find(what) != std::string_view::npos;
}

// Longer than what a mutation comes upon, so that its appearance in an output is a leak.
inline constexpr std::string_view secret_value = "Vq7-zzK0-secret-9f";

// Whether an output may hold the secret by right: libFuzzer knows the program's texts, and puts
// pieces of it together.
inline bool holds_piece_of_secret(std::string_view input) {
  constexpr std::size_t piece = 3;
  for (std::size_t i = 0; i + piece <= secret_value.size(); ++i)
    if (contains(input, secret_value.substr(i, piece))) return true;
  return false;
}

// The environment of every target: NAME and CPU, say, are set to what fits; SECRET and GH_PAT to a
// secret; EMPTY to nothing. Others are missing.
inline std::optional<std::string> variable(std::string_view name) {
  if (name == "SECRET" || name == "GH_PAT") return std::string(secret_value);
  if (name == "CPU") return "2";
  if (name == "NAME") return "a-name";
  if (name == "EMPTY") return "";
  if (name == "CRON") return "*/5 * * * *";
  if (name == "GITHUB_REPOSITORY") return "owner/name";
  return std::nullopt;
}

}  // namespace cmlrec::fuzz
