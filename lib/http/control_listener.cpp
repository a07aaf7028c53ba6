#include "http/control_listener.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <vector>

#include <boost/asio/local/stream_protocol.hpp>
#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace cmlrec::http {
namespace {

namespace asio = boost::asio;
using local = asio::local::stream_protocol;
using boost::system::error_code;

[[noreturn]] void cannot_open(const std::string& path, const std::string& why) {
  throw std::runtime_error("cannot listen on the control socket '" + path + "': " + why);
}

std::string system_words() { return std::strerror(errno); }

// Groups are asked for once, at the start: the files of users may be far away.
std::optional<unsigned> group_id(const control_socket& where) {
  if (where.group.empty()) return std::nullopt;
  const auto* found = ::getgrnam(where.group.c_str());
  if (found == nullptr)
    cannot_open(where.path, "there is no group '" + where.group +
                                "'; make it, or give another with --control-group");
  return found->gr_gid;
}

// What a former process has left is in the way; what another one listens on is not ours to take.
void make_way(const asio::any_io_executor& executor, const std::string& path) {
  struct stat there {};
  if (::lstat(path.c_str(), &there) != 0) return;
  if (!S_ISSOCK(there.st_mode))
    cannot_open(path,
                "a file that is no socket is there; remove it, or give another path with "
                "--control-socket");
  local::socket probe(executor);
  error_code ec;
  probe.connect(local::endpoint(path), ec);
  if (!ec)
    cannot_open(path,
                "another process listens there; stop it, or give another path with "
                "--control-socket");
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    cannot_open(path, "what a former process left there cannot be removed: " + system_words());
}

std::string name_of(uid_t uid) {
  const auto* found = ::getpwuid(uid);
  return found != nullptr ? std::string(" (") + found->pw_name + ")" : std::string();
}

bool is_member(uid_t uid, gid_t primary, gid_t group) {
  if (primary == group) return true;
  const auto* user = ::getpwuid(uid);
  if (user == nullptr) return false;
  std::vector<gid_t> groups(256);
  int count = static_cast<int>(groups.size());
  if (::getgrouplist(user->pw_name, user->pw_gid, groups.data(), &count) < 0) return false;
  groups.resize(static_cast<std::size_t>(count));
  return std::find(groups.begin(), groups.end(), group) != groups.end();
}

}  // namespace

control_listener::control_listener(const asio::any_io_executor& executor, control_socket where)
    : where_(std::move(where)), group_(group_id(where_)), acceptor_(executor) {
  if (where_.path.size() >= sizeof(sockaddr_un::sun_path))
    cannot_open(where_.path, "the path is longer than the " +
                                 std::to_string(sizeof(sockaddr_un::sun_path) - 1) +
                                 " bytes that a socket's may have");
  make_way(executor, where_.path);
  error_code ec;
  acceptor_.open(local(), ec);
  // Nobody else may connect between bind() and the final mode.
  const auto before = ::umask(0177);
  if (!ec) acceptor_.bind(local::endpoint(where_.path), ec);
  ::umask(before);
  if (ec)
    cannot_open(where_.path, ec.message() +
                                 "; give a path in a directory that this user may write with "
                                 "--control-socket");
  if (group_ && ::chown(where_.path.c_str(), static_cast<uid_t>(-1), *group_) != 0)
    cannot_open(where_.path, "it cannot be given to the group '" + where_.group + "' (" +
                                 system_words() + "); let the daemon's user be a member of it");
  if (group_ && ::chmod(where_.path.c_str(), 0660) != 0)
    cannot_open(where_.path, "its mode cannot be set: " + system_words());
  acceptor_.listen(local::acceptor::max_listen_connections, ec);
  if (ec) cannot_open(where_.path, ec.message());
}

control_listener::~control_listener() { close(); }

void control_listener::close() {
  if (!acceptor_.is_open()) return;
  error_code ignored;
  acceptor_.close(ignored);
  ::unlink(where_.path.c_str());
}

std::optional<std::string> control_listener::identify(local::socket& connected) const {
  ucred who{};
  socklen_t size = sizeof who;
  if (::getsockopt(connected.native_handle(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0)
    return std::nullopt;
  const bool known = who.uid == 0 || who.uid == ::geteuid() ||
                     (group_ && is_member(who.uid, who.gid, *group_));
  if (!known) return std::nullopt;
  return "uid " + std::to_string(who.uid) + name_of(who.uid) + ", pid " + std::to_string(who.pid);
}

}  // namespace cmlrec::http
