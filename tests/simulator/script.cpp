#include "simulator/script.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <initializer_list>
#include <stdexcept>

namespace cmlrec::simulator {
namespace {

// Thrown inside this file only; the text is the sentence that the caller gets.
struct mistake : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::string join(std::initializer_list<std::string_view> words) {
  std::string out;
  for (const auto w : words) out += (out.empty() ? "" : ", ") + std::string(w);
  return out;
}

const json::object& object_at(const json::value& v, const std::string& place) {
  if (!v.is_object()) throw mistake(place + ": an object is due");
  return v.get_object();
}

const json::array& array_at(const json::value& v, const std::string& place) {
  if (!v.is_array()) throw mistake(place + ": a list is due");
  return v.get_array();
}

std::string text_at(const json::value& v, const std::string& place) {
  if (!v.is_string()) throw mistake(place + ": a string is due");
  return std::string(v.get_string());
}

duration seconds_at(const json::value& v, const std::string& place) {
  const double seconds = v.is_number() ? v.to_number<double>() : -1;
  if (!(seconds >= 0 && seconds <= 1e9)) throw mistake(place + ": a number of seconds is due");
  return duration{std::llround(seconds * 1000)};
}

int count_at(const json::value& v, const std::string& place) {
  if (!v.is_int64() || v.get_int64() < 1 || v.get_int64() > 1'000'000)
    throw mistake(place + ": a count from 1 is due");
  return static_cast<int>(v.get_int64());
}

[[noreturn]] void unknown(const std::string& place, std::initializer_list<std::string_view> known) {
  throw mistake(place + ": unknown member; known are " + join(known));
}

// True if the member was one of a run's.
bool read_run_member(std::string_view key, const json::value& v, const std::string& place,
                     run_rule& rule) {
  if (key == "scheduling_seconds") {
    rule.scheduling = seconds_at(v, place);
  } else if (key == "starting_seconds") {
    rule.starting = seconds_at(v, place);
  } else if (key == "running_seconds" || key == "duration_seconds") {
    rule.running = seconds_at(v, place);
  } else if (key == "outcome") {
    if (const auto problem = set_outcome(text_at(v, place), rule))
      throw mistake(place + ": " + *problem);
  } else {
    return false;
  }
  return true;
}

job_rule read_job(const json::object& in, const std::string& place) {
  job_rule out;
  for (const auto& item : in) {
    const std::string key(item.key());
    const auto here = place + "." + key;
    if (read_run_member(key, item.value(), here, out.every)) continue;
    if (key == "fail_first") {
      out.fail_first = count_at(item.value(), here);
    } else if (key == "runs") {
      for (const auto& entry : array_at(item.value(), here)) {
        const auto& one = object_at(entry, here + "[]");
        if (!one.contains("number")) throw mistake(here + "[]: member 'number' is missing");
        auto& rule = out.by_number[count_at(one.at("number"), here + "[].number")];
        for (const auto& member : one)
          if (member.key() != "number" &&
              !read_run_member(member.key(), member.value(),
                               here + "[]." + std::string(member.key()), rule))
            unknown(
                here + "[]." + std::string(member.key()),
                {"number", "scheduling_seconds", "starting_seconds", "running_seconds", "outcome"});
      }
    } else {
      unknown(here, {"scheduling_seconds", "starting_seconds", "running_seconds", "outcome",
                     "fail_first", "runs"});
    }
  }
  return out;
}

project_rule read_project(const json::object& in, const std::string& place) {
  project_rule out;
  for (const auto& item : in) {
    const std::string key(item.key());
    const auto here = place + "." + key;
    if (key == "clone") {
      const auto word = text_at(item.value(), here);
      if (word == "success")
        out.clone = clone_outcome::success;
      else if (word == "failure")
        out.clone = clone_outcome::failure;
      else if (word == "never")
        out.clone = clone_outcome::never;
      else
        throw mistake(here + ": one of success, failure, never is due");
    } else if (key == "clone_seconds") {
      out.clone_time = seconds_at(item.value(), here);
    } else if (key == "script_delay_seconds") {
      out.script_delay = seconds_at(item.value(), here);
    } else if (key == "ready_word") {
      out.ready_word = text_at(item.value(), here);
    } else if (key == "missing_scripts") {
      for (const auto& name : array_at(item.value(), here))
        out.missing_scripts.insert(text_at(name, here + "[]"));
    } else {
      unknown(here,
              {"clone", "clone_seconds", "script_delay_seconds", "ready_word", "missing_scripts"});
    }
  }
  return out;
}

timed_action read_action(const json::object& in, const std::string& place) {
  timed_action out;
  for (const auto& item : in) {
    if (item.key() == "after_seconds") {
      out.after = seconds_at(item.value(), place + ".after_seconds");
    } else if (item.key() == "do") {
      out.what = text_at(item.value(), place + ".do");
    } else {
      out.arguments[item.key()] = item.value();
    }
  }
  const auto known = {"edit", "run", "stop", "delete-job", "faults"};
  if (std::none_of(known.begin(), known.end(), [&](const char* k) { return out.what == k; }))
    throw mistake(place + ".do: one of edit, run, stop, delete-job, faults is due");
  return out;
}

}  // namespace

std::optional<std::string> set_outcome(std::string_view word, run_rule& rule) {
  if (word == "succeeded")
    rule.ends = outcome::succeeded;
  else if (word == "failed")
    rule.ends = outcome::failed;
  else if (word == "timedout")
    rule.ends = outcome::timedout;
  else if (word == "never_scheduled")
    rule.ends = outcome::never_scheduled;
  else if (word.starts_with("ENGINE_"))
    rule.ends = outcome::odd_word;
  else
    return "one of succeeded, failed, timedout, never_scheduled, or a status word that begins "
           "with ENGINE_, is due";
  rule.word = std::string(word);
  return std::nullopt;
}

std::optional<std::string> read_script(std::string_view text, rules& how, script& out) try {
  boost::system::error_code ec;
  json::parse_options lenient;
  lenient.allow_comments = true;
  lenient.allow_trailing_commas = true;
  const auto parsed = json::parse(text, ec, {}, lenient);
  if (ec) return "it is not JSON: " + ec.message();
  for (const auto& item : object_at(parsed, "the file")) {
    const std::string key(item.key());
    if (key == "jobs") {
      for (const auto& entry : object_at(item.value(), key)) {
        const std::string name(entry.key());
        how.jobs[name] = read_job(object_at(entry.value(), key + "." + name), key + "." + name);
      }
    } else if (key == "projects") {
      for (const auto& entry : object_at(item.value(), key)) {
        const std::string name(entry.key());
        how.projects[name] =
            read_project(object_at(entry.value(), key + "." + name), key + "." + name);
      }
    } else if (key == "state") {
      out.initial = object_at(item.value(), key);
    } else if (key == "actions") {
      for (const auto& entry : array_at(item.value(), key))
        out.actions.push_back(read_action(object_at(entry, key + "[]"), key + "[]"));
    } else {
      unknown(key, {"jobs", "projects", "state", "actions"});
    }
  }
  return std::nullopt;
} catch (const mistake& m) {
  return m.what();
}

}  // namespace cmlrec::simulator
