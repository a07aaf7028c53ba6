// The messages that wait for one webhook: bounded, repeated with growing waits, given up in the
// end. Pure: time and the random value come in.
#pragma once

#include "cml/backoff.hpp"
#include "core/time.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

namespace cmlrec::notify {

struct message {
  std::uint64_t number = 0;
  std::string event;
  std::string body;
  core::instant since;  // when it was put in
};

// What came of an attempt.
struct reply {
  int status = 0;  // 0: no answer
  std::optional<core::duration> retry_after;
};

enum class verdict { delivered, again, failed };

class outgoing {
 public:
  explicit outgoing(std::size_t most = 100, core::duration patience = std::chrono::minutes{10})
      : most_(most), patience_(patience), wait_(pace) {}

  // The number of what had to make room: the oldest that is not under way.
  std::optional<std::uint64_t> put(message m);
  bool empty() const { return waiting_.empty(); }
  std::size_t size() const { return waiting_.size(); }

  // The one that is sent now; it stays the first until it is judged.
  const message& begin();
  // What is first is then gone, unless it is to be tried again at next_try().
  verdict judge(const reply& r, core::instant now, double random);
  core::instant next_try() const { return next_try_; }

 private:
  static constexpr cml::backoff_rule pace{std::chrono::seconds{1}, std::chrono::seconds{60}};

  std::size_t most_;
  core::duration patience_;
  std::deque<message> waiting_;
  bool under_way_ = false;
  cml::backoff wait_;
  core::instant next_try_{};
};

}  // namespace cmlrec::notify
