// What /v1/status says, for people at a terminal.
#pragma once

#include <string>

#include <boost/json/fwd.hpp>

namespace cmlrec::daemon {

// A project with its reasons and a table of its jobs.
std::string status_text(const boost::json::object& project);
// All about one job: its state and why, what it waits for, its runs, what differs, what comes next.
std::string explain_text(const boost::json::object& project, const boost::json::object& job);

}  // namespace cmlrec::daemon
