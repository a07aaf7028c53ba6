// What has been told outlives the process: notified.json in the state directory.
#pragma once

#include "notify/news.hpp"

#include <string>

namespace cmlrec::notify {

class told_file {
 public:
  // Empty: nothing is kept.
  explicit told_file(const std::string& directory);
  // Nothing was told where there is no file, or none that can be read.
  told load() const;
  // False, with the reason in `why`, where it could not be written.
  bool save(const told& what, std::string& why);

 private:
  std::string path_;
  told last_;
};

}  // namespace cmlrec::notify
