#include "daemon/config_watch.hpp"

#include "core/digest.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sys/stat.h>

namespace cmlrec::daemon {
namespace {

namespace fs = std::filesystem;

bool is_yaml(const fs::path& p) { return p.extension() == ".yaml" || p.extension() == ".yml"; }

// The files behind a path, in a fixed order. False: it cannot be read.
bool expand(const std::string& path, std::vector<std::string>& out) {
  std::error_code ec;
  if (!fs::is_directory(path, ec)) {
    out.push_back(path);
    return true;
  }
  std::vector<std::string> found;
  for (fs::directory_iterator at(path, ec), end; !ec && at != end; at.increment(ec)) {
    std::error_code ignored;
    if (is_yaml(at->path()) && !at->is_directory(ignored)) found.push_back(at->path().string());
  }
  std::sort(found.begin(), found.end());
  out.insert(out.end(), found.begin(), found.end());
  return !ec;
}

// Whatever is likely to differ after any kind of change; of the file behind the symbolic links.
std::optional<std::string> stamp_of(const std::string& path) {
  struct stat s {};
  if (::stat(path.c_str(), &s) != 0) return std::nullopt;
  std::string out = path;
  out += '\0';
  for (const auto part :
       {static_cast<long long>(s.st_dev), static_cast<long long>(s.st_ino),
        static_cast<long long>(s.st_size), static_cast<long long>(s.st_mtim.tv_sec),
        static_cast<long long>(s.st_mtim.tv_nsec), static_cast<long long>(s.st_ctim.tv_sec),
        static_cast<long long>(s.st_ctim.tv_nsec)})
    out += std::to_string(part) + ' ';
  return out;
}

std::optional<std::string> digest_of(const std::vector<std::string>& files) {
  std::string all;
  for (const auto& file : files) {
    std::ifstream in(file, std::ios::binary);
    if (!in) return std::nullopt;
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    if (in.bad()) return std::nullopt;
    all += core::sha256_hex(file) + core::sha256_hex(text);
  }
  return core::sha256_hex(all);
}

}  // namespace

void config_watch::taken(const std::optional<std::string>& content) {
  taken_ = content;
  candidate_.reset();
}

bool config_watch::seen(const std::optional<std::string>& content, core::instant now) {
  if (!content || content == taken_) {
    candidate_.reset();
    return false;
  }
  if (candidate_ != content) {
    candidate_ = content;
    since_ = now;
    return false;
  }
  if (now - since_ < settle_) return false;
  taken(content);
  return true;
}

std::optional<std::string> config_digest::now() {
  std::vector<std::string> files;
  std::string stamp;
  for (const auto& path : paths_)
    if (!expand(path, files)) return std::nullopt;
  for (const auto& file : files) {
    const auto one = stamp_of(file);
    if (!one) return std::nullopt;
    stamp += *one;
  }
  if (digest_ && stamp == stamp_) return digest_;
  digest_ = digest_of(files);
  stamp_ = std::move(stamp);
  return digest_;
}

}  // namespace cmlrec::daemon
