// The REST API v2 on top of a workspace: paths, keys, query and body checks, error bodies.
#pragma once

#include "simulator/ledger.hpp"
#include "simulator/listing.hpp"
#include "simulator/message.hpp"
#include "simulator/workspace.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace cmlrec::simulator {

// A path of the API, recognized.
struct route {
  std::string operation;  // "CreateJob"; empty: there is no such path
  bool known_path = false;
  bool is_write = false;
  std::string path;  // without the query
  std::string query;
  std::string project_id;
  std::string job_id;
  std::string run_id;
};

route find_route(std::string_view method, std::string_view target);

// A key that has the form of one: at least 20 characters of a token.
bool is_well_formed_key(std::string_view key);

class api {
 public:
  api(workspace& w, ledger& l, std::string key) : workspace_(w), ledger_(l), key_(std::move(key)) {}

  // Nothing: the key is right.
  std::optional<api_error> check_key(const request& r) const;
  reply answer_to(const route& at, const request& r);

 private:
  answer<json::object> dispatch(const route& at, const request& r);
  answer<json::object> read_body(const route& at, const std::string& body);
  answer<list_query> read_query(const route& at) const;
  answer<json::object> list(const route& at);
  answer<json::object> validate_key(const json::object& body) const;

  workspace& workspace_;
  ledger& ledger_;
  std::string key_;
};

}  // namespace cmlrec::simulator
