// The table of fields: the single source of the file's parser, the diff, the JSON bodies of the API
// and the JSON Schema. A new field is a new row in fields.cpp and nothing else.
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace cmlrec::core {

enum class field_type {
  boolean,
  integer,
  number,
  string,
  script,        // a path in the project; a multi-line text is refused
  cron,          // five fields, or a macro such as @daily
  arguments,     // a string, or a list joined with shell quoting
  string_list,
  string_map,    // values of any scalar type, taken as strings
  recipients,    // a list of addresses, or of maps with email and notify_on_*
  job_key,       // a key of this file
  time_span,     // "90s", "5m", or a number of seconds
  time_point,    // RFC 3339, or a date
  run_policy,    // once, on_change, never
  retry_policy,  // a map: max_attempts, backoff, max_backoff
  environment_policy,  // replace, merge
};

// How a value travels. CML uses different types for one field on create, on PATCH and on read.
enum class wire {
  none,             // not sent at all: ours alone
  plain,            // as its JSON type
  integer_as_text,  // int64 as a JSON string (protobuf's JSON form)
  object_as_text,   // a JSON string that holds an object
};

enum class changes {
  in_place,      // PATCH takes it
  at_creation,   // only POST takes it; cannot be read back, so it is never compared
  maybe_ignored, // PATCH answers 200 and has been seen to ignore it
  daemon_only,   // never sent: it steers the daemon
};

enum class comparison { exact, superset, environment };

struct field {
  std::string_view name;  // in the file and in a field_set
  std::vector<std::string_view> aliases;
  field_type type = field_type::string;
  std::string_view unit;           // "seconds", "GB", "cores"; empty: none
  std::string_view default_value;  // what CML (or the daemon) takes where the file is silent
  double minimum = 0;              // for numbers
  double maximum = 0;
  std::string_view create_name;  // in the body of POST; empty: not sent
  std::string_view patch_name;   // in the body of PATCH; empty: not sent
  std::string_view read_name;    // in answers; empty: cannot be read back
  wire on_create = wire::plain;
  wire on_patch = wire::plain;
  changes change = changes::in_place;
  comparison compare = comparison::exact;
  std::string_view help;
};

std::span<const field> job_fields();
std::span<const field> project_fields();

// By name or alias; null where there is none. The pointer lives as long as the program.
const field* find_field(std::span<const field> table, std::string_view name_or_alias);

}  // namespace cmlrec::core
