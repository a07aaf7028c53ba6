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

const char* result_of(const reconcile::write_record& w) {
  if (w.ok) return "done";
  return w.may_have_happened ? "uncertain" : "failed";
}

json::value text_or_null(const std::string& s) {
  return s.empty() ? json::value(nullptr) : json::value(valid_utf8(s));
}

}  // namespace

log_entry audit_entry(const reconcile::write_record& w, core::timestamp at) {
  log_entry e;
  e.at = at;
  e.level = w.ok ? reconcile::severity::info : reconcile::severity::warning;
  e.event = "audit";
  e.project = w.project;
  e.job = w.job;
  e.message = w.answer;
  e.fields = {{"operation", w.operation},
              {"result", result_of(w)},
              {"why", w.reason},
              {"took_ms", std::to_string(w.took.count())}};
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) e.fields[name] = value;
  };
  add("kind", w.kind);
  add("name", w.name);
  add("id", w.object_id);
  add("project_id", w.project_id);
  add("error", w.error);
  add("file", w.file);
  if (w.http_status != 0) e.fields["status"] = std::to_string(w.http_status);
  return e;
}

std::string audit_line(const reconcile::write_record& w) {
  json::object o;
  o["ts"] = core::format_timestamp(w.at);
  o["operation"] = w.operation;
  o["action"] = w.action;
  o["kind"] = text_or_null(w.kind);
  o["project"] = text_or_null(w.project);
  o["project_id"] = text_or_null(w.project_id);
  o["job"] = text_or_null(w.job);
  o["name"] = text_or_null(w.name);
  o["id"] = text_or_null(w.object_id);
  o["why"] = text_or_null(w.reason);
  o["result"] = result_of(w);
  o["answer"] = text_or_null(w.answer);
  o["error"] = text_or_null(w.error);
  o["status"] = w.http_status != 0 ? json::value(w.http_status) : json::value(nullptr);
  o["took_ms"] = w.took.count();
  o["file"] = text_or_null(w.file);
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
  constexpr int how = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  int opened = ::open(path_.c_str(), how | O_CREAT | O_EXCL, file_mode);
  if (opened >= 0)
    ::fchmod(opened, file_mode);  // whatever the umask: that of the service is strict
  else if (errno == EEXIST)
    opened = ::open(path_.c_str(), how);
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
