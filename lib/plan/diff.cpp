#include "plan/diff.hpp"

#include "core/digest.hpp"
#include "core/fields.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace cmlrec::plan {
namespace {

using core::field_value;
using core::text;
using core::text_list;
using core::text_map;

const text_map no_environment;

const text_map& environment_of(const core::field_set& fields) {
  const auto found = fields.find("environment");
  if (found == fields.end()) return no_environment;
  const auto* map = std::get_if<text_map>(&found->second);
  return map == nullptr ? no_environment : *map;
}

// What CML should hold, given what it holds: under `merge` the other keys stay, and a mark that is
// there stays whatever the policy.
text_map environment_for(const text_map* wanted, config::environment_policy policy, bool mark,
                         const text_map& live) {
  text_map out;
  if (wanted == nullptr || policy == config::environment_policy::merge) {
    out = live;
    for (auto& [key, value] : out) value.secret = true;  // somebody else's: not ours to show
  }
  if (wanted != nullptr)
    for (const auto& [key, value] : *wanted) out[key] = value;
  if (mark)
    out[owner_mark] = text{owner_mark_value};
  else if (const auto found = live.find(owner_mark); found != live.end())
    out[owner_mark] = found->second;
  return out;
}

const text_map* owned_environment(const core::field_set& fields) {
  const auto found = fields.find("environment");
  return found == fields.end() ? nullptr : std::get_if<text_map>(&found->second);
}

// The live value of a key whose desired one is secret is very likely secret as well.
text_map masked_like(const text_map& live, const text_map& desired) {
  text_map out = live;
  for (auto& [key, value] : out) {
    const auto found = desired.find(key);
    if (found == desired.end() || found->second.secret) value.secret = true;
  }
  return out;
}

std::optional<double> as_number(const field_value& v) {
  if (const auto* i = std::get_if<std::int64_t>(&v)) return static_cast<double>(*i);
  if (const auto* d = std::get_if<double>(&v)) return *d;
  if (const auto* t = std::get_if<text>(&v)) {
    double number = 0;
    const auto* end = t->value.data() + t->value.size();
    const auto [used, trouble] = std::from_chars(t->value.data(), end, number);
    if (trouble == std::errc() && used == end) return number;
  }
  return std::nullopt;
}

bool same(const core::field& row, const field_value& wanted, const field_value& live) {
  if (wanted == live) return true;
  if (row.compare == core::comparison::superset) {
    const auto* a = std::get_if<text_list>(&wanted);
    const auto* b = std::get_if<text_list>(&live);
    if (a != nullptr && b != nullptr)
      return std::all_of(a->begin(), a->end(), [&](const text& item) {
        return std::find(b->begin(), b->end(), item) != b->end();
      });
  }
  if (std::holds_alternative<text>(wanted) && std::holds_alternative<text>(live)) return false;
  const auto x = as_number(wanted);
  const auto y = as_number(live);
  return x && y && std::abs(*x - *y) <= 1e-9 * std::max(1.0, std::abs(*x));
}

field_difference difference_of(std::string_view name, const field_value& wanted,
                               const field_value* live) {
  field_difference d;
  d.field = std::string(name);
  d.desired = core::canonical(wanted);
  d.live = live == nullptr ? "" : core::canonical(*live);
  d.shown.field = d.field;
  d.shown.desired = core::display(wanted);
  if (live == nullptr) {
    d.shown.live = "(not set)";
  } else if (const auto* env = std::get_if<text_map>(live)) {
    d.shown.live = core::display(masked_like(*env, std::get<text_map>(wanted)));
  } else if (core::has_secret(wanted)) {
    d.shown.live = core::display(text{"", true});
  } else {
    d.shown.live = core::display(*live);
  }
  return d;
}

void compare_fields(std::span<const core::field> table, const core::field_set& wanted,
                    const core::field_set& live, std::vector<field_difference>& out) {
  for (const auto& [name, value] : wanted) {
    const auto* row = core::find_field(table, name);
    if (row == nullptr || row->read_name.empty() || row->patch_name.empty()) continue;
    if (row->compare == core::comparison::environment) continue;  // compared as a whole elsewhere
    const auto found = live.find(name);
    if (found == live.end()) {
      if (!stands_for_missing(*row, value)) out.push_back(difference_of(name, value, nullptr));
    } else if (!same(*row, value, found->second)) {
      out.push_back(difference_of(name, value, &found->second));
    }
  }
}

void compare_environment(const core::field_set& wanted, config::environment_policy policy,
                         bool mark, const core::field_set& live,
                         std::vector<field_difference>& out) {
  const auto* owned = owned_environment(wanted);
  if (owned == nullptr && !mark) return;
  const auto& now = environment_of(live);
  const auto target = environment_for(owned, policy, mark, now);
  if (target == now) return;
  const field_value before{now};
  out.push_back(difference_of("environment", field_value{target}, &before));
}

void append_canonical(std::string& out, const core::field_set& fields) {
  for (const auto& [name, value] : fields) {
    out += name;
    out += '=';
    out += core::canonical(value);
    out += '\n';
  }
}

}  // namespace

bool stands_for_missing(const core::field& row, const field_value& wanted) {
  struct visitor {
    bool operator()(bool b) const { return !b; }
    bool operator()(std::int64_t i) const { return i == 0; }
    bool operator()(double d) const { return d == 0; }
    bool operator()(const text& t) const { return t.value.empty(); }
    bool operator()(const text_list& l) const { return l.empty(); }
    bool operator()(const text_map& m) const { return m.empty(); }
    bool operator()(const core::recipient_list& l) const { return l.empty(); }
  };
  if (std::visit(visitor{}, wanted)) return true;
  if (row.default_value.empty()) return false;
  if (const auto* t = std::get_if<text>(&wanted)) return t->value == row.default_value;
  const auto number = as_number(wanted);
  const auto expected = as_number(text{std::string(row.default_value)});
  return number && expected && *number == *expected;
}

std::vector<field_difference> compare_job(const config::job_spec& wanted, bool prune,
                                          const std::optional<std::string>& parent_id,
                                          const cml::job& live) {
  std::vector<field_difference> out;
  compare_fields(core::job_fields(), wanted.fields, live.fields, out);
  compare_environment(wanted.fields, wanted.env_policy, prune, live.fields, out);
  if (wanted.owns_parent) {
    // Nothing: the file's parent is not in CML yet, which is another matter's difference.
    const auto target = wanted.parent_key ? parent_id : std::optional<std::string>{""};
    if (target && *target != live.parent_id) {
      const field_value before{text{live.parent_id}};
      out.push_back(difference_of("parent_job_key", field_value{text{*target}}, &before));
    }
  }
  return out;
}

std::vector<field_difference> compare_project(const config::project_spec& wanted,
                                              const cml::project& live) {
  std::vector<field_difference> out;
  compare_fields(core::project_fields(), wanted.fields, live.fields, out);
  compare_environment(wanted.fields, wanted.env_policy, false, live.fields, out);
  return out;
}

cml::job_write patch_for(const config::job_spec& wanted, bool prune,
                         const std::optional<std::string>& parent_id, const cml::job& live,
                         const std::vector<field_difference>& differences) {
  cml::job_write out;
  for (const auto& d : differences) {
    if (d.field == "parent_job_key") {
      out.parent_id = wanted.parent_key ? parent_id.value_or("") : "";
    } else if (d.field == "environment") {
      out.fields["environment"] = environment_for(
          owned_environment(wanted.fields), wanted.env_policy, prune, environment_of(live.fields));
    } else {
      out.fields[d.field] = wanted.fields.at(d.field);
    }
  }
  // CML answers 500 to addons without a runtime, and a runtime alone resets the addons: they travel
  // together or not at all.
  const bool runtime = out.fields.contains("runtime_identifier");
  const bool addons = out.fields.contains("runtime_addon_identifiers");
  const auto take = [&](const char* name) {
    if (const auto own = wanted.fields.find(name); own != wanted.fields.end())
      out.fields[name] = own->second;
    else if (const auto now = live.fields.find(name); now != live.fields.end())
      out.fields[name] = now->second;
  };
  if (addons && !runtime) take("runtime_identifier");
  if (runtime && !addons) take("runtime_addon_identifiers");
  return out;
}

cml::project_write patch_for(const config::project_spec& wanted, const cml::project& live,
                             const std::vector<field_difference>& differences) {
  cml::project_write out;
  for (const auto& d : differences) {
    if (d.field == "environment")
      out.fields["environment"] = environment_for(
          owned_environment(wanted.fields), wanted.env_policy, false, environment_of(live.fields));
    else
      out.fields[d.field] = wanted.fields.at(d.field);
  }
  return out;
}

cml::job_write creation_of(const config::job_spec& wanted, bool prune,
                           const std::optional<std::string>& parent_id) {
  cml::job_write out;
  out.fields = wanted.fields;
  if (prune)
    out.fields["environment"] =
        environment_for(owned_environment(wanted.fields), wanted.env_policy, true, {});
  if (wanted.parent_key) out.parent_id = parent_id;
  return out;
}

std::string spec_hash(const config::job_spec& wanted, const std::string& parent_name) {
  std::string all;
  append_canonical(all, wanted.fields);
  all += wanted.env_policy == config::environment_policy::merge ? "merge\n" : "replace\n";
  if (wanted.owns_parent) all += "parent=" + parent_name + "\n";
  return core::sha256_hex(all).substr(0, 16);
}

std::string write_hash(const core::field_set& fields, const std::optional<std::string>& parent_id) {
  std::string all;
  append_canonical(all, fields);
  if (parent_id) all += "parent_id=" + *parent_id + "\n";
  return core::sha256_hex(all).substr(0, 16);
}

}  // namespace cmlrec::plan
