// What the server has to say, made fit for one line of a log.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cmlrec::cml {

struct server_words {
  bool is_json = false;  // the body is a JSON object: CML's own answer rather than a gateway's
  int code = 0;          // the gRPC status, where there is one
  std::string message;   // whole: "message", else "error", else the body itself
};
server_words read_server_words(std::string_view body);

// White space and control characters become single spaces; cut with "..." at `most` bytes, never
// inside a UTF-8 sequence.
std::string one_line(std::string_view text, std::size_t most);

// Masks each of `secrets` (those of 4 bytes and more) and the user part of any URL.
std::string scrub(std::string text, const std::vector<std::string>& secrets);

inline constexpr std::size_t longest_message = 300;

}  // namespace cmlrec::cml
