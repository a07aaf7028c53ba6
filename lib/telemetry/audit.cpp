#include "telemetry/audit.hpp"

#include "telemetry/text.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace cmlrec::telemetry {
namespace {

namespace json = boost::json;

// The owner writes, the group reads: who audits need not be who runs the daemon.
constexpr mode_t file_mode = 0640;

std::string subject(const reconcile::write_record& r) {
  return r.operation + " of " + (r.kind == "run" ? "job" : r.kind) + " '" + r.name + "'";
}

json::value text_or_null(const std::string& s) {
  return s.empty() ? json::value(nullptr) : json::value(valid_utf8(s));
}

}  // namespace

log_entry audit_entry(const reconcile::write_record& r) {
  log_entry e;
  e.at = r.at + r.took;
  e.level = r.failure ? reconcile::severity::warning : reconcile::severity::info;
  e.event = "audit";
  e.project = r.project;
  e.job = r.job;
  e.fields["operation"] = r.operation;
  e.fields["kind"] = r.kind;
  e.fields["name"] = r.name;
  if (!r.id.empty()) e.fields["id"] = r.id;
  if (!r.project_id.empty()) e.fields["project_id"] = r.project_id;
  e.fields["why"] = r.why;
  e.fields["result"] = r.failure ? "failed" : "done";
  e.fields["took_ms"] = std::to_string(r.took.count());
  if (!r.file.empty()) e.fields["file"] = r.file;
  if (!r.failure) {
    e.message = subject(r) + ": " + r.answer;
    return e;
  }
  e.fields["error"] = core::to_string(r.failure->kind);
  if (r.failure->http_status != 0) e.fields["status"] = std::to_string(r.failure->http_status);
  e.fields["may_have_happened"] = r.failure->may_have_happened ? "true" : "false";
  e.message = subject(r) + ": " + r.failure->message;
  return e;
}

std::string audit_line(const reconcile::write_record& r) {
  json::object o;
  o["ts"] = core::format_timestamp(r.at);
  o["operation"] = r.operation;
  o["action"] = r.action;
  o["kind"] = r.kind;
  o["project"] = text_or_null(r.project);
  o["project_id"] = text_or_null(r.project_id);
  o["job"] = text_or_null(r.job);
  o["name"] = text_or_null(r.name);
  o["id"] = text_or_null(r.id);
  o["why"] = text_or_null(r.why);
  o["result"] = r.failure ? "failed" : "done";
  o["answer"] = text_or_null(r.failure ? r.failure->message : r.answer);
  const bool answered = r.failure && r.failure->http_status != 0;
  o["error"] = r.failure ? json::value(core::to_string(r.failure->kind)) : json::value(nullptr);
  o["status"] = answered ? json::value(r.failure->http_status) : json::value(nullptr);
  o["may_have_happened"] = !r.failure || r.failure->may_have_happened;
  o["took_ms"] = r.took.count();
  o["file"] = text_or_null(r.file);
  return json::serialize(o);
}

void audit_file::close() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
  within_line_ = false;
}

std::optional<std::string> audit_file::open(const std::string& path) {
  close();
  path_ = path;
  if (path_.empty()) return std::nullopt;
  return open_again();
}

std::optional<std::string> audit_file::open_again() {
  const auto trouble = [&](const std::string& why) {
    return "the audit file '" + path_ + "' cannot be written: " + why +
           "; let the daemon's user write it, or give another audit_file";
  };
  // O_NONBLOCK: the opening of a pipe would wait for its reader.
  const int opened = ::open(
      path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, file_mode);
  if (opened < 0) return trouble(std::strerror(errno));
  struct stat s {};
  if (::fstat(opened, &s) != 0 || !S_ISREG(s.st_mode)) {
    ::close(opened);
    return trouble("it is not a regular file");
  }
  descriptor_ = opened;
  return std::nullopt;
}

std::optional<std::string> audit_file::write(const std::string& line) {
  if (descriptor_ < 0)
    if (auto why = open_again()) return why;
  std::string all = (within_line_ ? "\n" : "") + line + "\n";
  std::size_t written = 0;
  while (written < all.size()) {
    const auto n = ::write(descriptor_, all.data() + written, all.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      const std::string why = n < 0 ? std::strerror(errno) : "no room";
      within_line_ = within_line_ || written > 0;
      return "the audit file '" + path_ + "' cannot be written: " + why +
             "; this line is in the log alone";
    }
    written += static_cast<std::size_t>(n);
  }
  within_line_ = false;
  return std::nullopt;
}

}  // namespace cmlrec::telemetry
