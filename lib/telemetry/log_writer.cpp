#include "telemetry/log_writer.hpp"

#include "telemetry/stderr_lines.hpp"

#include <chrono>
#include <map>
#include <stdexcept>
#include <unistd.h>

#include <spdlog/details/null_mutex.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>

namespace cmlrec::telemetry {
namespace {

constexpr core::duration patience = std::chrono::milliseconds{5};

// spdlog decides by level and carries the line; what the line looks like is log_line.cpp's.
class sink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  explicit sink(line_sink to) : to_(std::move(to)) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    to_(std::string_view(message.payload.data(), message.payload.size()));
  }
  void flush_() override {}

  line_sink to_;
};

spdlog::level::level_enum level_named(std::string_view name) {
  if (name == "trace") return spdlog::level::trace;
  if (name == "debug") return spdlog::level::debug;
  if (name == "info") return spdlog::level::info;
  return name == "warning" ? spdlog::level::warn : spdlog::level::err;
}

spdlog::level::level_enum level_of(reconcile::severity level) {
  switch (level) {
    case reconcile::severity::debug:
      return spdlog::level::debug;
    case reconcile::severity::info:
      return spdlog::level::info;
    case reconcile::severity::warning:
      return spdlog::level::warn;
    case reconcile::severity::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

class spdlog_writer final : public log_writer {
 public:
  spdlog_writer(const options& o, line_sink to)
      : format_(o.format),
        to_journal_(o.to_journal),
        logger_("cml-reconciler", std::make_shared<sink>(std::move(to))) {
    // What is written is decided here, by part; spdlog carries the line.
    logger_.set_level(spdlog::level::trace);
    std::string why;
    auto levels = config::parse_log_levels(o.level, why);
    if (!levels) throw std::runtime_error(why);
    set_levels(std::move(*levels));
  }

  void set_levels(config::log_levels levels) override {
    general_ = level_named(levels.general);
    parts_.clear();
    for (const auto& [part, level] : levels.parts) parts_.emplace(part, level_named(level));
  }

  bool wants(reconcile::severity severity, std::string_view event) const override {
    const auto level = level_of(severity);
    if (parts_.empty()) return level >= general_;
    const auto found = parts_.find(config::part_of(event));
    return level >= (found == parts_.end() ? general_ : found->second);
  }

  void write(const log_entry& entry) override {
    if (!wants(entry.level, entry.event)) return;
    const auto level = level_of(entry.level);
    const auto line = format_line(entry, format_, to_journal_);
    logger_.log(level, spdlog::string_view_t(line.data(), line.size()));
  }

 private:
  log_format format_;
  bool to_journal_;
  spdlog::logger logger_;
  spdlog::level::level_enum general_ = spdlog::level::info;
  std::map<std::string, spdlog::level::level_enum, std::less<>> parts_;
};

}  // namespace

line_sink stderr_sink(log_format format, bool to_journal) {
  auto lines = std::make_shared<descriptor_lines>(STDERR_FILENO, patience);
  std::size_t lost = 0;
  return [lines, lost, format, to_journal](std::string_view line) mutable {
    if (!lines->write(line)) return;
    lost += lines->take_dropped();
    if (lost == 0) return;
    log_entry note;
    note.at = std::chrono::time_point_cast<core::duration>(std::chrono::system_clock::now());
    note.level = reconcile::severity::warning;
    note.event = "log.dropped";
    note.fields["lines"] = std::to_string(lost);
    note.message = "lines of the log were dropped because nobody was reading them";
    if (lines->write(format_line(note, format, to_journal))) lost = 0;
    // The note itself is no line that anybody misses.
    lines->take_dropped();
  };
}

std::unique_ptr<log_writer> make_log_writer(const options& o, line_sink to) {
  return std::make_unique<spdlog_writer>(o, std::move(to));
}

}  // namespace cmlrec::telemetry
