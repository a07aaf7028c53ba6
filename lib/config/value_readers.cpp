#include "config/value_readers.hpp"

#include "config/cron.hpp"
#include "config/scalars.hpp"

#include <array>

namespace cmlrec::config {
namespace {

using type = core::field_type;
using maybe = std::optional<parsed_value>;

constexpr std::array<sub_key, 3> retry_table = {
    {{"max_attempts", "How often the job is started before it has failed for good; 1: no retry."},
     {"backoff", "Wait after the first failure; it doubles with each further one."},
     {"max_backoff", "The longest wait."}}};

constexpr std::array<sub_key, 5> recipient_table = {
    {{"email", "The address."},
     {"notify_on_success", "Mail when a run succeeds."},
     {"notify_on_failure", "Mail when a run fails."},
     {"notify_on_timeout", "Mail when a run times out."},
     {"notify_on_stop", "Mail when a run is stopped."}}};

template <std::size_t N>
std::vector<std::string_view> names(const std::array<sub_key, N>& table) {
  std::vector<std::string_view> out;
  for (const auto& k : table) out.push_back(k.name);
  return out;
}

core::field_value value(core::text t) { return core::field_value(std::move(t)); }

bool is_whole_second(core::duration d) { return d.count() % 1000 == 0; }

maybe read_integer_field(const reading& r, const entry& e, const core::field& f) {
  const double high = f.maximum > 0 ? f.maximum : 9e15;
  const std::string expected = expectation(f);
  if (f.unit == "seconds" && e.value.is_scalar()) {
    const auto text = read_text(r, e.value, e.key, expected);
    if (!text) return std::nullopt;
    const auto length = core::parse_duration(text->value);
    // A bare number goes the way of all numbers, which knows the range.
    if (length && text->value.find_first_of("smhdw") != std::string::npos) {
      if (!is_whole_second(*length)) {
        wrong_type(r, e.value, e.key, "whole seconds");
        return std::nullopt;
      }
      return core::field_value(std::int64_t{length->count() / 1000});
    }
  }
  const auto number = read_integer(r, e.value, e.key, expected, f.minimum, high);
  if (!number) return std::nullopt;
  return core::field_value(*number);
}

maybe read_number_field(const reading& r, const entry& e, const core::field& f) {
  const std::string expected = expectation(f);
  const auto text = read_text(r, e.value, e.key, expected);
  if (!text) return std::nullopt;
  const auto number = parse_number(text->value);
  if (!number) {
    wrong_type(r, e.value, e.key, expected);
    return std::nullopt;
  }
  const double high = f.maximum > 0 ? f.maximum : 9e15;
  if (!check_range(r, e.value, e.key, expected, *number, f.minimum, high)) return std::nullopt;
  return core::field_value(*number);
}

bool is_one_line(const reading& r, const entry& e, const core::text& t) {
  if (t.value.find_first_of("\r\n") == std::string::npos) return true;
  r.out.error(e.value.at, e.key + ": the text has several lines; expected one line");
  return false;
}

// The REST API finds an image by its identifier; the numeric ids are those of the workspace's own
// pages and of the legacy API, and mean nothing to it.
bool is_runtime_identifier(const reading& r, const entry& e, const core::text& t) {
  if (t.value.empty() || !parse_number(t.value)) return true;
  r.out.error(e.value.at,
              e.key + ": " + describe_found(e.value) +
                  " is a numeric id, which is of CML's web pages and older API; expected the image "
                  "identifier as the REST API wants it, such as "
                  "docker.repository.cloudera.com/cloudera/cdsw/"
                  "ml-runtime-pbj-jupyterlab-python3.11-standard:2024.10.1-b12");
  return false;
}

maybe read_string_field(const reading& r, const entry& e, const core::field& f) {
  auto text = read_text(r, e.value, e.key, expectation(f));
  if (!text) return std::nullopt;
  if (f.name != "description" && !is_one_line(r, e, *text)) return std::nullopt;
  if (f.name == "name" && text->value.find_first_not_of(" \t") == std::string::npos) {
    r.out.error(e.value.at, e.key + ": the name is empty; expected a text");
    return std::nullopt;
  }
  if (f.name == "runtime_identifier" && !is_runtime_identifier(r, e, *text)) return std::nullopt;
  return value(std::move(*text));
}

maybe read_script(const reading& r, const entry& e, const core::field& f) {
  auto text = read_text(r, e.value, e.key, expectation(f));
  if (!text) return std::nullopt;
  if (text->value.find_first_of("\r\n") != std::string::npos) {
    r.out.error(e.value.at,
                e.key +
                    ": the script itself is given; expected the path of a script in the "
                    "project, because CML runs files");
    return std::nullopt;
  }
  if (text->value.find_first_not_of(" \t") == std::string::npos) {
    wrong_type(r, e.value, e.key, expectation(f));
    return std::nullopt;
  }
  if (text->value.starts_with("/") && !text->value.starts_with("/home/cdsw/"))
    r.out.warning(e.value.at,
                  e.key + ": " + describe_found(e.value) +
                      " is outside the project, whose root is /home/cdsw; expected a path relative "
                      "to that");
  return value(std::move(*text));
}

maybe read_cron(const reading& r, const entry& e, const core::field& f) {
  auto text = read_text(r, e.value, e.key, expectation(f));
  if (!text) return std::nullopt;
  if (!text->value.empty()) {
    if (const auto wrong = cron_error(text->value)) {
      // A piece of an expanded value must not be shown.
      if (text->secret)
        wrong_type(r, e.value, e.key, expectation(f));
      else
        r.out.error(e.value.at, e.key + ": " + *wrong);
      return std::nullopt;
    }
  }
  return value(std::move(*text));
}

std::optional<core::text_list> read_list(const reading& r, const entry& e,
                                         std::string_view expected) {
  if (!e.value.is_list()) {
    wrong_type(r, e.value, e.key, expected);
    return std::nullopt;
  }
  core::text_list out;
  bool good = true;
  for (const auto& item : e.value.items) {
    auto text = read_text(r, item, e.key, "a text in the list");
    good = good && text.has_value();
    if (text) out.push_back(std::move(*text));
  }
  return good ? std::optional(std::move(out)) : std::nullopt;
}

maybe read_arguments(const reading& r, const entry& e, const core::field& f) {
  if (e.value.is_scalar()) {
    auto text = read_text(r, e.value, e.key, expectation(f));
    if (!text) return std::nullopt;
    return value(std::move(*text));
  }
  const auto words = read_list(r, e, expectation(f));
  if (!words) return std::nullopt;
  core::text joined;
  for (const auto& word : *words) {
    if (!joined.value.empty()) joined.value += ' ';
    joined.value += shell_quote(word.value);
    joined.secret = joined.secret || word.secret;
  }
  return value(std::move(joined));
}

maybe read_string_map(const reading& r, const entry& e, const core::field& f) {
  if (!e.value.is_map()) {
    wrong_type(r, e.value, e.key, expectation(f));
    return std::nullopt;
  }
  core::text_map out;
  bool good = true;
  const auto refuse = [&](place at, const std::string& message) {
    r.out.error(at, e.key + ": " + message);
    good = false;
  };
  for (const auto& item : e.value.entries) {
    if (item.key.empty() || item.key.find_first_of("= \t\r\n") != std::string::npos) {
      refuse(item.at, "'" + item.key +
                          "' is no name of a variable; expected one without '=' and "
                          "white space");
      continue;
    }
    if (item.key.starts_with("CML_RECONCILER_")) {
      refuse(item.at, "'" + item.key + "' is reserved for the daemon; expected another name");
      continue;
    }
    if (item.value.is_null()) {
      refuse(item.at, "'" + item.key + "' has no value; expected a text (\"\" for an empty one)");
      continue;
    }
    auto text = read_text(r, item.value, e.key + "." + item.key, "a text");
    good = good && text.has_value();
    if (text) out.emplace(item.key, std::move(*text));
  }
  if (!good) return std::nullopt;
  return core::field_value(std::move(out));
}

bool is_address(const core::text& t) {
  const auto at = t.value.find('@');
  return at != std::string::npos && at > 0 && at + 1 < t.value.size() &&
         t.value.find_first_of(" \t\r\n,;") == std::string::npos;
}

std::optional<core::recipient> read_recipient(const reading& r, const entry& e, const node& item) {
  core::recipient out;
  const node* address = &item;
  bool flags = false;
  bool good = true;
  if (item.is_map()) {
    check_keys(r, item, "in '" + e.key + "'", names(recipient_table));
    const entry* email = item.find("email");
    if (email == nullptr) {
      r.out.error(item.at, e.key + ": there is no email; expected an address under 'email'");
      good = false;
    }
    address = email == nullptr ? nullptr : &email->value;
    const auto flag = [&](std::string_view key, bool& into) {
      const entry* given = item.find(key);
      if (given == nullptr || given->value.is_null()) return;
      const auto b = read_boolean(r, given->value, key);
      good = good && b.has_value();
      into = b.value_or(false);
      flags = true;
    };
    flag("notify_on_success", out.on_success);
    flag("notify_on_failure", out.on_failure);
    flag("notify_on_timeout", out.on_timeout);
    flag("notify_on_stop", out.on_stop);
  }
  // Whoever only names an address wants to hear of what went wrong.
  if (!flags) out.on_failure = out.on_timeout = true;
  if (address != nullptr) {
    auto text = read_text(r, *address, e.key, "an address, or a map with email");
    if (text && !is_address(*text)) {
      wrong_type(r, *address, e.key, "an address such as name@example.com");
      text.reset();
    }
    good = good && text.has_value();
    if (text) out.email = std::move(*text);
  }
  return good ? std::optional(std::move(out)) : std::nullopt;
}

maybe read_recipients(const reading& r, const entry& e, const core::field& f) {
  if (!e.value.is_list()) {
    wrong_type(r, e.value, e.key, expectation(f));
    return std::nullopt;
  }
  core::recipient_list out;
  bool good = true;
  for (const auto& item : e.value.items) {
    auto one = read_recipient(r, e, item);
    good = good && one.has_value();
    if (one) out.push_back(std::move(*one));
  }
  if (!good) return std::nullopt;
  return core::field_value(std::move(out));
}

maybe read_reference(const reading& r, const entry& e, const core::field& f) {
  if (e.value.is_null()) return job_reference{};
  const auto text = read_text(r, e.value, e.key, expectation(f));
  if (!text) return std::nullopt;
  if (text->value.empty()) return job_reference{};
  return job_reference{text->value, e.value.text};
}

maybe read_timestamp(const reading& r, const entry& e, const core::field& f) {
  const auto text = read_text(r, e.value, e.key, expectation(f));
  if (!text) return std::nullopt;
  const auto at = core::parse_timestamp(text->value);
  if (!at) {
    wrong_type(r, e.value, e.key, expectation(f));
    return std::nullopt;
  }
  return *at;
}

maybe read_run_policy(const reading& r, const entry& e, const core::field& f) {
  const auto text = read_text(r, e.value, e.key, expectation(f));
  if (!text) return std::nullopt;
  if (text->value == "once") return run_policy::once;
  if (text->value == "on_change") return run_policy::on_change;
  if (text->value == "never") return run_policy::never;
  wrong_type(r, e.value, e.key, expectation(f));
  return std::nullopt;
}

maybe read_environment_policy(const reading& r, const entry& e, const core::field& f) {
  const auto text = read_text(r, e.value, e.key, expectation(f));
  if (!text) return std::nullopt;
  if (text->value == "replace") return environment_policy::replace;
  if (text->value == "merge") return environment_policy::merge;
  wrong_type(r, e.value, e.key, expectation(f));
  return std::nullopt;
}

maybe read_retry(const reading& r, const entry& e, const core::field& f) {
  if (!e.value.is_map()) {
    wrong_type(r, e.value, e.key, expectation(f));
    return std::nullopt;
  }
  check_keys(r, e.value, "in '" + e.key + "'", names(retry_table));
  const auto child = [&](std::string_view key) -> const node* {
    const entry* found = e.value.find(key);
    return found == nullptr || found->value.is_null() ? nullptr : &found->value;
  };
  retry_policy out;
  if (const node* n = child("max_attempts"))
    if (const auto i = read_integer(r, *n, "max_attempts", "a whole number", 1, 100))
      out.max_attempts = static_cast<int>(*i);
  const node* backoff = child("backoff");
  if (backoff != nullptr)
    if (const auto d = read_duration(r, *backoff, "backoff")) out.backoff = *d;
  if (const node* n = child("max_backoff")) {
    if (const auto d = read_duration(r, *n, "max_backoff")) {
      out.max_backoff = *d;
      if (*d < out.backoff)
        r.out.error(n->at,
                    "max_backoff: it is shorter than the backoff; expected at least as much");
    }
  } else {
    out.max_backoff = std::max(out.max_backoff, out.backoff);
  }
  return out;
}

}  // namespace

std::optional<parsed_value> read_value(const reading& r, const entry& e, const core::field& f) {
  if (e.value.is_null() && f.type != type::job_key) return std::nullopt;
  switch (f.type) {
    case type::boolean: {
      const auto b = read_boolean(r, e.value, e.key);
      return b ? maybe(core::field_value(*b)) : std::nullopt;
    }
    case type::integer:
      return read_integer_field(r, e, f);
    case type::number:
      return read_number_field(r, e, f);
    case type::string:
      return read_string_field(r, e, f);
    case type::script:
      return read_script(r, e, f);
    case type::cron:
      return read_cron(r, e, f);
    case type::arguments:
      return read_arguments(r, e, f);
    case type::string_list: {
      auto list = read_list(r, e, expectation(f));
      return list ? maybe(core::field_value(std::move(*list))) : std::nullopt;
    }
    case type::string_map:
      return read_string_map(r, e, f);
    case type::recipients:
      return read_recipients(r, e, f);
    case type::job_key:
      return read_reference(r, e, f);
    case type::time_span: {
      const auto d = read_duration(r, e.value, e.key);
      return d ? maybe(*d) : std::nullopt;
    }
    case type::time_point:
      return read_timestamp(r, e, f);
    case type::run_policy:
      return read_run_policy(r, e, f);
    case type::retry_policy:
      return read_retry(r, e, f);
    case type::environment_policy:
      return read_environment_policy(r, e, f);
  }
  return std::nullopt;
}

bool check_range(const reading& r, const node& n, std::string_view key, std::string_view expected,
                 double number, double low, double high) {
  if (number >= low && number <= high) return true;
  r.out.error(n.at, std::string(key) + ": " + describe_found(n) + " is out of range; expected " +
                        std::string(expected) + " from " + format_number(low) + " to " +
                        format_number(high));
  return false;
}

std::span<const sub_key> retry_keys() { return retry_table; }
std::span<const sub_key> recipient_keys() { return recipient_table; }

}  // namespace cmlrec::config
