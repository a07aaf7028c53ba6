#include "telemetry/metric_table.hpp"
#include "telemetry/samples.hpp"

#include <dirent.h>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

namespace cmlrec::telemetry {
namespace {

struct process_figures {
  double cpu_seconds = 0;
  double start_ticks = 0;  // since the machine was started
  double virtual_bytes = 0;
  double resident_pages = 0;
};

std::optional<process_figures> read_stat() {
  std::ifstream in("/proc/self/stat");
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  // The second field is the program's name, in brackets, and may itself hold spaces and brackets.
  const auto bracket = text.rfind(')');
  if (bracket == std::string::npos) return std::nullopt;
  std::istringstream rest(text.substr(bracket + 1));
  std::string skipped;
  for (int field = 3; field < 14; ++field) rest >> skipped;
  double user = 0;
  double system = 0;
  rest >> user >> system;
  for (int field = 16; field < 22; ++field) rest >> skipped;
  process_figures out;
  rest >> out.start_ticks >> out.virtual_bytes >> out.resident_pages;
  if (!rest) return std::nullopt;
  out.cpu_seconds = (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  return out;
}

std::optional<double> machine_started() {
  std::ifstream in("/proc/stat");
  std::string word;
  while (in >> word) {
    if (word != "btime") continue;
    double at = 0;
    if (in >> at) return at;
  }
  return std::nullopt;
}

std::optional<double> open_descriptors() {
  DIR* const folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) return std::nullopt;
  double count = 0;
  while (const dirent* entry = ::readdir(folder))
    if (entry->d_name[0] != '.') ++count;
  ::closedir(folder);
  return count - 1;  // without the one that reads the folder
}

std::optional<double> most_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::nullopt;
  return static_cast<double>(limit.rlim_cur);
}

}  // namespace

std::vector<prometheus::MetricFamily> process_samples() {
  std::vector<prometheus::MetricFamily> out;
  const auto put = [&](metric_id id, std::optional<double> value) {
    if (!value) return;
    const auto& row = describe(id);
    prometheus::MetricFamily family;
    family.name = row.name;
    family.help = row.help;
    prometheus::ClientMetric sample;
    if (row.type == metric_type::counter) {
      family.type = prometheus::MetricType::Counter;
      sample.counter.value = *value;
    } else {
      family.type = prometheus::MetricType::Gauge;
      sample.gauge.value = *value;
    }
    family.metric.push_back(std::move(sample));
    out.push_back(std::move(family));
  };
  if (const auto p = read_stat()) {
    put(metric_id::process_cpu, p->cpu_seconds);
    put(metric_id::process_virtual_memory, p->virtual_bytes);
    put(metric_id::process_resident_memory,
        p->resident_pages * static_cast<double>(::sysconf(_SC_PAGESIZE)));
    if (const auto booted = machine_started())
      put(metric_id::process_start_time,
          *booted + p->start_ticks / static_cast<double>(::sysconf(_SC_CLK_TCK)));
  }
  put(metric_id::process_open_fds, open_descriptors());
  put(metric_id::process_max_fds, most_descriptors());
  return out;
}

}  // namespace cmlrec::telemetry
