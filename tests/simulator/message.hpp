// A request and its answer, without any socket.
#pragma once

#include "simulator/model.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/json.hpp>

namespace cmlrec::simulator {

struct request {
  std::string method;
  std::string target;  // path and query, as received
  std::optional<std::string> authorization;
  std::string body;
};

// What becomes of the answer on its way.
enum class delivery { send, close, reset, truncate, hang };

struct reply {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
  delivery how = delivery::send;
};

reply json_reply(int status, const boost::json::value& body);
reply error_reply(const api_error& e);

}  // namespace cmlrec::simulator
