// What the tests of the configuration share: an environment of their own, and a directory that goes
// away with the test.
#pragma once

#include "config/load.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>

namespace cmlrec::config {

using variables = std::map<std::string, std::string, std::less<>>;

inline environment env_of(variables values) {
  return [values = std::move(values)](std::string_view name) -> std::optional<std::string> {
    const auto at = values.find(name);
    return at == values.end() ? std::nullopt : std::optional(at->second);
  };
}

inline load_context context_of(variables values, std::optional<std::string> project = {}) {
  return {env_of(std::move(values)), std::move(project)};
}

inline loaded load_yaml(std::string_view text, variables values = {},
                        std::optional<std::string> project = {}) {
  return load_text(text, "f.yaml", context_of(std::move(values), std::move(project)));
}

// One line for each; what is compared in the tests.
inline std::string lines(const std::vector<finding>& findings) {
  std::string out;
  for (const auto& f : findings) out += to_string(f) + "\n";
  return out;
}

inline std::string read(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

class temporary_directory {
 public:
  temporary_directory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "cmlrec-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = pattern;
  }
  ~temporary_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;

  std::string path() const { return path_.string(); }
  std::string write(const std::string& name, const std::string& content) const {
    std::ofstream(path_ / name, std::ios::binary) << content;
    return (path_ / name).string();
  }

 private:
  std::filesystem::path path_;
};

}  // namespace cmlrec::config
