// The difference between a definition in the file and the live one, and the PATCH that closes it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cml/models.hpp"
#include "config/desired.hpp"
#include "core/fields.hpp"
#include "plan/report.hpp"

namespace cmlrec::plan {

// Written into the environment of a job that is made where prune is on: only what bears it may be
// deleted.
inline constexpr const char* owner_mark = "CML_RECONCILER_OWNER";
inline constexpr const char* owner_mark_value = "cml-reconciler";
// Sent with the runs of `run: on_change` jobs: names the definition that they ran.
inline constexpr const char* spec_mark = "CML_RECONCILER_SPEC";

struct field_difference {
  std::string field;    // by the tables of core/fields.hpp
  std::string desired;  // canonical, unmasked: for hashing alone
  std::string live;
  difference shown;
};

// protobuf's JSON may leave out a member that has its type's zero value, and CML fills in defaults
// of its own: a missing member stands for either.
bool stands_for_missing(const core::field& row, const core::field_value& value);

// `parent_id`: the id that the file's parent has in CML; nothing where the file does not own the
// parent, or CML does not have it yet.
std::vector<field_difference> compare_job(const config::job_spec& wanted, bool prune,
                                          const std::optional<std::string>& parent_id,
                                          const cml::job& live);
std::vector<field_difference> compare_project(const config::project_spec& wanted,
                                              const cml::project& live);

// The bodies of writes. `fields`: which of the differences to close.
cml::job_write patch_for(const config::job_spec& wanted, bool prune,
                         const std::optional<std::string>& parent_id, const cml::job& live,
                         const std::vector<field_difference>& differences);
cml::project_write patch_for(const config::project_spec& wanted, const cml::project& live,
                             const std::vector<field_difference>& differences);
cml::job_write creation_of(const config::job_spec& wanted, bool prune,
                           const std::optional<std::string>& parent_id);

// 16 hexadecimal digits that name the owned fields of a job; `parent_name` is part of it.
std::string spec_hash(const config::job_spec& wanted, const std::string& parent_name);
std::string write_hash(const core::field_set& fields, const std::optional<std::string>& parent_id);

}  // namespace cmlrec::plan
