// What an answer of CML means: pure, so that every case of it is tested without a socket.
#pragma once

#include "core/error.hpp"
#include "core/time.hpp"

#include <string>
#include <vector>

namespace cmlrec::cml {

struct http_answer {
  int status = 0;
  std::string content_type;
  std::string location;
  std::string retry_after;
  std::string date;
  std::string body;
};

// What a call does to the workspace, which decides what its failures mean.
enum class effect {
  reads_one,
  reads_list,          // or checks the key: not being allowed to is about the key
  changes_repeatably,  // PATCH, DELETE
  changes_once,        // POST
};
bool is_write(effect what);

// The error that an answer with a status other than 2xx stands for. `secrets` are masked in what
// the server says; `wall` is needed where Retry-After is a date and the answer has no Date.
core::error classify(const http_answer& answer, effect what, core::timestamp wall,
                     const std::vector<std::string>& secrets);

// The error for a 2xx whose body could not be read: `why` is the codec's.
core::error unreadable(const http_answer& answer, effect what, const core::error& why);

// Seconds or an HTTP date, at most 5 minutes; nothing for anything else.
std::optional<core::duration> parse_retry_after(const std::string& text, core::timestamp now);

}  // namespace cmlrec::cml
