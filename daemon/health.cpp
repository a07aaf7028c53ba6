#include "daemon/health.hpp"

#include "daemon/commands.hpp"
#include "daemon/exit_code.hpp"
#include "daemon/local_client.hpp"
#include "daemon/setup.hpp"

#include <algorithm>
#include <iostream>

namespace cmlrec::daemon {
namespace {

// Shorter than the time that container engines give a check by default, 30 s, and than a probe's
// period.
constexpr core::duration health_patience = std::chrono::seconds{3};

// The lines that say what is missing ("[-] cml-reachable not ok"), else the last line.
std::string gist(const std::string& body) {
  std::string bad;
  std::string last;
  for (std::size_t at = 0; at < body.size();) {
    const auto end = std::min(body.find('\n', at), body.size());
    const auto line = body.substr(at, end - at);
    if (line.rfind("[-] ", 0) == 0) bad += (bad.empty() ? "" : ", ") + line.substr(4);
    if (!line.empty()) last = line;
    at = end + 1;
  }
  return bad.empty() ? last : bad;
}

}  // namespace

health_answer ask_health(const std::string& listen, bool ready, core::duration patience) {
  local_request q;
  q.path = ready ? "/readyz" : "/healthz";
  const auto answer = ask_daemon({"", listen}, q, patience);
  if (answer.status == 0)
    return {false, answer.where + q.path + ": " + answer.trouble};
  const auto text = gist(answer.body);
  return {answer.status == 200, answer.where + q.path + ": " + std::to_string(answer.status) +
                                    (text.empty() ? "" : " " + text)};
}

int check_health(const command_line& line) {
  const auto loaded = config::load_settings(line.flags, line.settings_file, process_environment());
  health_answer answer;
  if (!loaded.errors.empty())
    answer.line = config::to_string(loaded.errors.front());
  else
    answer = ask_health(loaded.values.listen, line.ready, health_patience);
  std::cout << (answer.good ? "healthy: " : "unhealthy: ") << answer.line << '\n';
  return answer.good ? done : failed;
}

}  // namespace cmlrec::daemon
