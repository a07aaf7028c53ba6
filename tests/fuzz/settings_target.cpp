#include "config/settings.hpp"
#include "fuzz/support.hpp"
#include "fuzz/targets.hpp"

#include <sys/mman.h>
#include <unistd.h>

namespace cmlrec::fuzz {
namespace {

// A file that exists in memory alone; one for the whole program.
class memory_file {
 public:
  memory_file() : fd_(::memfd_create("settings", 0)) {
    if (fd_ < 0) throw std::runtime_error("memfd_create");
  }
  ~memory_file() { ::close(fd_); }
  memory_file(const memory_file&) = delete;
  memory_file& operator=(const memory_file&) = delete;

  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }
  void fill(std::string_view bytes) const {
    if (::ftruncate(fd_, 0) != 0 ||
        ::pwrite(fd_, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
      throw std::runtime_error("a file in memory cannot be written");
  }

 private:
  int fd_;
};

std::optional<std::string> with_key(std::string_view name) {
  if (name == "CML_API_KEY") return std::string(secret_value);
  if (name == "CML_HOST") return "https://cml.example.com";
  return variable(name);
}

}  // namespace

void settings(std::string_view bytes) {
  static const memory_file file;
  file.fill(bytes);
  const auto result = config::load_settings({}, file.path(), with_key);
  for (const auto* list : {&result.errors, &result.warnings})
    for (const auto& f : *list) {
      const std::string shown = to_string(f);
      require(!f.file.empty() && !f.message.empty(), "a finding says where and what");
      require(!has_control_character(f.message), "a finding is one line");
      require(holds_piece_of_secret(bytes) || !contains(shown, secret_value),
              "a finding shows no secret");
    }
  if (!result.errors.empty()) return;
  const auto& v = result.values;
  require(v.interval > core::duration::zero(), "the interval is not zero");
  require(v.runs_refresh >= core::duration::zero(), "no time is negative");
  require(v.write_settle >= core::duration::zero(), "no time is negative");
  require(v.max_in_flight >= 1, "something may be in flight");
  require(v.max_runs_per_hour >= 1, "runs may be started");
  require(v.requests_per_second >= 0, "no rate is negative");
  require(v.log_format == "logfmt" || v.log_format == "json", "the log has a format");
}

}  // namespace cmlrec::fuzz
