#include "config/writer.hpp"

#include "core/fields.hpp"
#include "core/letters.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <string_view>

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

namespace cmlrec::config {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Nothing that YAML could take for something else than a text.
bool is_plain_word(std::string_view s) {
  static constexpr std::string_view not_words[] = {"null", "true", "false", "yes", "no",
                                                   "on",   "off",  "y",     "n"};
  if (s.empty() || !is_letter(s.front())) return false;
  if (!std::all_of(s.begin(), s.end(),
                   [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '/'; }))
    return false;
  return std::find(std::begin(not_words), std::end(not_words), core::lower_case(s)) ==
         std::end(not_words);
}

// A JSON string is a double-quoted scalar of YAML, but for DEL, which YAML wants escaped.
std::string scalar(std::string_view s) {
  if (is_plain_word(s)) return std::string(s);
  std::string out;
  for (const char c : boost::json::serialize(boost::json::string(s.data(), s.size())))
    out += c == '\x7f' ? "\\u007f" : std::string(1, c);
  return out;
}

std::string without_expansion(std::string_view s) {
  std::string out;
  for (const char c : s) out += c == '$' ? "$$" : std::string(1, c);
  return out;
}

std::string variable_name(std::string_view s) {
  std::string out;
  for (const char c : s)
    out += is_letter(c) || is_digit(c)
               ? static_cast<char>(std::toupper(static_cast<unsigned char>(c)))
               : '_';
  return out.empty() || !is_letter(out.front()) ? "V_" + out : out;
}

// What the daemon itself reads from its environment: a job's value of that name is another one.
bool is_ours(std::string_view variable) {
  return variable.starts_with("CML_") || variable.starts_with("GH_") ||
         variable.starts_with("GITHUB_") || variable == "FORCE_REBUILD" ||
         variable == "RUNTIME_IDENTIFIER";
}

std::string number_text(double d) {
  char buffer[32];
  const auto [end, trouble] = std::to_chars(buffer, buffer + sizeof buffer, d);
  return trouble == std::errc() ? std::string(buffer, end) : "0";
}

class writer {
 public:
  explicit writer(const writing_options& options) : options_(options) {}

  written_file write(const project_spec& project) {
    for (const auto& line : options_.head) add(0, line.empty() ? "#" : "# " + line);
    add(0, "project:");
    fields(2, core::project_fields(), project.fields, "project");
    if (project.id) add(2, "id: " + scalar(*project.id));
    if (options_.watch_only) {
      add(0, "defaults:");
      add(2, "# The jobs are watched and never started. Take this line away to have run what has not.");
      add(2, "run: never");
    }
    add(0, "jobs:");
    for (const auto& job : project.jobs) {
      if (const auto found = options_.about.find(job.key); found != options_.about.end())
        add(2, "# " + found->second);
      add(2, scalar(job.key) + ":");
      fields(4, core::job_fields(), job.fields, job.key);
      if (job.owns_parent)
        add(4, "parent_job_key: " + (job.parent_key ? scalar(*job.parent_key) : std::string("null")));
    }
    return std::move(out_);
  }

 private:
  void add(int indent, const std::string& line) {
    out_.text += std::string(static_cast<std::size_t>(indent), ' ') + line + '\n';
  }

  // In the order of the table, which is the order of the documentation.
  void fields(int indent, std::span<const core::field> table, const core::field_set& values,
              const std::string& owner) {
    for (const auto& row : table)
      if (const auto found = values.find(row.name); found != values.end())
        field(indent, std::string(row.name), found->second, owner);
  }

  void field(int indent, const std::string& name, const core::field_value& value,
             const std::string& owner) {
    struct visitor {
      writer& w;
      int indent;
      const std::string& name;
      const std::string& owner;
      void operator()(bool b) const { w.add(indent, name + (b ? ": true" : ": false")); }
      void operator()(std::int64_t i) const { w.add(indent, name + ": " + std::to_string(i)); }
      void operator()(double d) const { w.add(indent, name + ": " + number_text(d)); }
      void operator()(const core::text& t) const {
        w.add(indent, name + ": " + w.text(t, name, owner));
      }
      void operator()(const core::text_list& list) const {
        w.add(indent, name + (list.empty() ? ": []" : ":"));
        for (const auto& t : list) w.add(indent + 2, "- " + w.text(t, name, owner));
      }
      void operator()(const core::text_map& map) const {
        w.add(indent, name + (map.empty() ? ": {}" : ":"));
        for (const auto& [key, t] : map)
          w.add(indent + 2, scalar(key) + ": " + w.text(t, key, owner));
      }
      void operator()(const core::recipient_list& list) const {
        w.add(indent, name + (list.empty() ? ": []" : ":"));
        for (const auto& r : list) {
          w.add(indent + 2, "- email: " + w.text(r.email, "email", owner));
          const auto when = [&](const char* key, bool on) {
            if (on) w.add(indent + 4, std::string(key) + ": true");
          };
          when("notify_on_success", r.on_success);
          when("notify_on_failure", r.on_failure);
          when("notify_on_timeout", r.on_timeout);
          when("notify_on_stop", r.on_stop);
        }
      }
    };
    std::visit(visitor{*this, indent, name, owner}, value);
  }

  std::string text(const core::text& t, const std::string& name, const std::string& owner) {
    if (!t.secret) return scalar(without_expansion(t.value));
    std::string variable = variable_name(name);
    for (int n = 1;; ++n) {
      if (!is_ours(variable)) {
        const auto [at, fresh] = stands_for_.try_emplace(variable, t.value);
        if (fresh) out_.variables.push_back(variable);
        if (at->second == t.value) break;
      }
      variable = variable_name("JOB_" + owner + "_" + name + (n > 1 ? "_" + std::to_string(n) : ""));
    }
    return "\"${" + variable + "}\"";
  }

  const writing_options& options_;
  written_file out_;
  std::map<std::string, std::string> stands_for_;  // variable -> the secret
};

}  // namespace

written_file write_project(const project_spec& project, const writing_options& options) {
  return writer(options).write(project);
}

}  // namespace cmlrec::config
