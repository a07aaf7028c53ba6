// What is news: the pure rule. States go in with their time, notices come out; what was told is a
// value that may outlive the process.
#pragma once

#include "core/time.hpp"
#include "plan/report.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace cmlrec::notify {

struct moment {
  core::instant steady;  // for how long something has lasted
  core::timestamp wall;  // for what is written down
};

struct rules {
  core::duration after = std::chrono::seconds{30};  // a state must have lasted so long
  core::duration unreachable_after = std::chrono::minutes{5};
  core::duration repeat = std::chrono::hours{1};  // the same trouble is not told twice within this
  friend bool operator==(const rules&, const rules&) = default;
};

struct notice {
  std::uint64_t number = 0;
  std::string event;     // of config::notify_events()
  std::string project;   // empty: about the file
  std::string state;     // "Degraded"; empty: about the file
  std::string previous;  // the state that was told before; empty: none
  std::vector<std::string> reasons;
  core::timestamp since;  // when the state began
  core::timestamp at;     // when it became news
};

// What one project's readers know.
struct told_project {
  std::string state;                                // empty: nothing was told
  std::string key;                                  // of its reasons
  std::map<std::string, core::timestamp> troubles;  // state and key -> when it was told last
  friend bool operator==(const told_project&, const told_project&) = default;
};

struct told {
  std::map<std::string, told_project> projects;
  std::map<std::string, core::timestamp> refusals;  // key -> when it was told last
  friend bool operator==(const told&, const told&) = default;
};

class news {
 public:
  news(rules r, told of_a_former_life);

  void set_rules(rules r) { rules_ = r; }
  // How a project stands now. Progressing is no news, and ends what had begun to last.
  void see(const std::string& project, plan::project_state state,
           const std::vector<std::string>& reasons, moment now);
  void forget(const std::string& project);
  void refused(const std::string& why, moment now);

  // What has become news; each is given once.
  std::vector<notice> take(moment now);
  // It needs no more doing: it was delivered or given up. Only then it is written down as told.
  void settle(std::uint64_t number);
  const told& settled() const { return settled_; }

 private:
  struct candidate {
    plan::project_state state = plan::project_state::progressing;
    std::vector<std::string> reasons;
    std::string key;
    moment since;
    core::instant key_since;
  };

  std::optional<notice> judge(const std::string& project, const candidate& c, moment now);

  rules rules_;
  told told_;
  told settled_;
  std::map<std::string, candidate> candidates_;
  std::vector<notice> refusals_;
  std::uint64_t last_number_ = 0;
  std::map<std::uint64_t, told> unsettled_;  // what is told once that number is settled
};

// Names reasons by what they say, without the numbers and times in them that change by themselves.
std::string key_of(std::vector<std::string> reasons);

}  // namespace cmlrec::notify
