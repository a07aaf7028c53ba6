// The shapes of the bodies, as the API's document gives them, checked strictly: a member that the
// document does not have, or one of another type, is refused.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <boost/json.hpp>

namespace cmlrec::simulator {

enum class shape {
  text,
  number,
  int32,
  boolean,
  int64_text,  // int64 travels as a JSON string
  text_list,
  text_map,
  recipients,
  object,  // read-only sub-objects: accepted, not looked into
};

struct member {
  std::string_view name;
  shape type;
  bool output_only = false;  // accepted in a PATCH, and without effect
};

std::span<const member> create_project_members();
std::span<const member> project_members();
std::span<const member> create_job_members();
std::span<const member> job_members();
std::span<const member> create_run_members();
std::span<const member> validate_key_members();

struct schema_problem {
  std::string message;  // what the API answers
  std::string place;    // "environment: object where string is due", for the ledger
};

std::optional<schema_problem> check(std::span<const member> members,
                                    const boost::json::object& body);

// The text of a member; empty where it is missing, or is no text.
std::string text_in(const boost::json::object& body, std::string_view name);

// What a read shows for a member that was never set.
boost::json::value default_value(shape type);

}  // namespace cmlrec::simulator
