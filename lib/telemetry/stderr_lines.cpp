#include "telemetry/stderr_lines.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace cmlrec::telemetry {

descriptor_lines::descriptor_lines(int descriptor, core::duration patience)
    : descriptor_(descriptor), patience_(patience) {}

bool descriptor_lines::writable(core::duration wait) const {
  pollfd p{descriptor_, POLLOUT, 0};
  int n = 0;
  do {
    n = ::poll(&p, 1, static_cast<int>(wait.count()));
  } while (n < 0 && errno == EINTR);
  // A pipe whose reader has gone is "writable" too, and the write would end the process by SIGPIPE.
  return n > 0 && (p.revents & (POLLERR | POLLNVAL)) == 0;
}

bool descriptor_lines::write_all(std::string_view text) {
  const auto until = std::chrono::steady_clock::now() + (stuck_ ? core::duration{0} : patience_);
  while (!text.empty()) {
    const auto left = std::chrono::ceil<core::duration>(until - std::chrono::steady_clock::now());
    if (!writable(std::max(core::duration{0}, left))) return false;
    // A pipe that is writable takes PIPE_BUF bytes without blocking; a socket is told not to block.
    const auto piece = text.substr(0, PIPE_BUF);
    auto n = ::send(descriptor_, piece.data(), piece.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno == ENOTSOCK) n = ::write(descriptor_, piece.data(), piece.size());
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n < 0) return false;
    within_line_ = true;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  within_line_ = false;
  return true;
}

bool descriptor_lines::write(std::string_view line) {
  std::string text;
  if (within_line_) text += '\n';
  text.append(line);
  text += '\n';
  const bool written = write_all(text);
  stuck_ = !written;
  if (!written) ++dropped_;
  return written;
}

std::size_t descriptor_lines::take_dropped() {
  const auto n = dropped_;
  dropped_ = 0;
  return n;
}

}  // namespace cmlrec::telemetry
