// Notices that the files of the configuration have changed, whoever changed them and however: an
// editor that replaces the file, a copy, or the exchange of a symbolic link by which Kubernetes
// brings a new ConfigMap.
#pragma once

#include "core/time.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cmlrec::daemon {

// The decision alone, of values. A content is acted upon once: a file that was refused is not tried
// again before it changes.
class config_watch {
 public:
  // `settle`: how long a new content must have stood unchanged, so that a file that is being
  // written is not read half.
  explicit config_watch(core::duration settle) : settle_(settle) {}

  // What the files hold is in force, or was refused: by a start or a reload of whatever cause.
  void taken(const std::optional<std::string>& content);
  // Looked at. True: reload now. `content`: a digest; nothing: a file is missing or unreadable, as
  // in the middle of a replacement, and is waited for.
  bool seen(const std::optional<std::string>& content, core::instant now);

 private:
  core::duration settle_;
  std::optional<std::string> taken_;
  std::optional<std::string> candidate_;
  core::instant since_{};
};

// The digest of all that the paths hold: each a file, or a directory of *.yaml files. Symbolic
// links are followed at every call. A file is read again only where its inode, size or times have
// changed.
class config_digest {
 public:
  explicit config_digest(std::vector<std::string> paths = {}) : paths_(std::move(paths)) {}
  void set_paths(std::vector<std::string> paths) { paths_ = std::move(paths); }
  // Nothing: something is missing or cannot be read.
  std::optional<std::string> now();

 private:
  std::vector<std::string> paths_;
  std::string stamp_;
  std::optional<std::string> digest_;
};

}  // namespace cmlrec::daemon
