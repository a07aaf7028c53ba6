#include "config/settings.hpp"

#include "config/document.hpp"
#include "config/settings_table.hpp"
#include "config/suggest.hpp"

#include <algorithm>

namespace cmlrec::config {
namespace {

constexpr std::size_t most_bytes = 1024U * 1024;

std::string with(std::string_view name, char from, char to) {
  std::string out(name);
  std::replace(out.begin(), out.end(), from, to);
  return out;
}

const setting_row* find_row(std::string_view name) {
  const std::string key = with(name, '-', '_');
  for (const auto& row : setting_rows())
    if (row.shown.name == key) return &row;
  return nullptr;
}

std::vector<std::string_view> known_names() {
  std::vector<std::string_view> names;
  for (const auto& row : setting_rows()) names.push_back(row.shown.name);
  names.emplace_back("notify");
  return names;
}

class settings_loader {
 public:
  settings_loader(const std::map<std::string, std::string>& flags, const environment& env)
      : flags_(flags), env_(env) {}

  loaded_settings run(const std::string& file) {
    // From the weakest to the strongest, so that each overwrites the one before, and each is
    // checked.
    if (!file.empty()) read_settings_file(file);
    read_variables();
    read_flags();
    read_key();
    return std::move(result_);
  }

 private:
  void read_settings_file(const std::string& file) {
    std::string why;
    const auto text = read_file(file, most_bytes, why);
    if (!text) {
      result_.errors.push_back(
          {file, 0, 0, "cannot be read: " + why + "; expected a file of settings"});
      return;
    }
    report out(file);
    if (const auto top = parse_document(*text, out)) read_map(*top, out);
    for (auto& f : out.errors()) result_.errors.push_back(std::move(f));
  }

  void read_map(const node& top, report& out) {
    if (top.is_null()) return;
    if (!top.is_map()) {
      out.error(top.at, "the file holds " + describe_found(top) +
                            " at its top; expected a map of settings");
      return;
    }
    std::map<const setting_row*, const entry*> seen;
    for (const auto& e : top.entries) {
      if (e.key == "notify") {
        result_.values.notify = read_notify(e.value, out);
        continue;
      }
      const setting_row* row = find_row(e.key);
      if (row == nullptr) {
        const std::string plain = with(e.key, '-', '_');
        out.error(e.at,
                  plain == "api_key"
                      ? "the API key does not belong into a file of settings; expected "
                        "'api_key_file:', or the variable CML_API_KEY"
                      : "unknown setting '" + e.key + "'; " + suggestion(e.key, known_names()));
        continue;
      }
      const auto [before, fresh] = seen.try_emplace(row, &e);
      if (!fresh) {
        out.error(e.at, "'" + e.key + "' is given already in line " +
                            std::to_string(before->second->at.line) + "; expected it once");
        continue;
      }
      if (e.value.is_null()) continue;
      if (!e.value.is_scalar()) {
        out.error(e.value.at, e.key + ": expected one value, found " + describe_found(e.value));
        continue;
      }
      if (e.value.text.empty()) continue;
      if (const auto wrong = row->store(result_.values, e.value.text))
        out.error(e.value.at, e.key + ": " + *wrong);
    }
  }

  void read_variables() {
    for (const auto& row : setting_rows()) {
      for (const auto name : {row.shown.variable, row.other_variable}) {
        if (name.empty()) continue;
        const auto value = env_ ? env_(name) : std::nullopt;
        if (!value || value->empty()) continue;
        if (const auto wrong = row.store(result_.values, *value))
          result_.errors.push_back({std::string("$").append(name), 0, 0, *wrong});
        break;
      }
    }
  }

  void read_flags() {
    for (const auto& [name, text] : flags_) {
      const std::string shown = "--" + with(name, '_', '-');
      const setting_row* row = find_row(name);
      if (row == nullptr) {
        result_.errors.push_back({shown, 0, 0, "unknown flag; " + suggestion(name, known_names())});
        continue;
      }
      const bool bare = text.empty() && row->shown.value.empty();
      if (const auto wrong = row->store(result_.values, bare ? "true" : text))
        result_.errors.push_back({shown, 0, 0, *wrong});
    }
  }

  // The key is asked for where the order of flag, environment, settings file, default leads.
  void read_key() {
    const bool from_flag = flags_.contains("api_key_file") || flags_.contains("api-key-file");
    const std::string path = result_.values.api_key_file;
    const environment as_ordered = [&](std::string_view name) -> std::optional<std::string> {
      if (name == "CML_API_KEY" && from_flag) return std::nullopt;
      if (name == "CML_API_KEY_FILE" && !path.empty()) return path;
      return env_ ? env_(name) : std::nullopt;
    };
    result_.values.api_key =
        read_api_key(as_ordered, result_.values.api_key_file, result_.values.api_key_problem);
  }

  const std::map<std::string, std::string>& flags_;
  const environment& env_;
  loaded_settings result_;
};

}  // namespace

std::vector<notify_target> notify_targets(const settings& s) {
  auto out = s.notify;
  if (s.notify_url_file.empty()) return out;
  notify_target more;
  more.url_file = s.notify_url_file;
  more.format = s.notify_format == "slack" ? notify_format::slack : notify_format::json;
  more.events = all_notify_events();
  out.push_back(std::move(more));
  return out;
}

loaded_settings load_settings(const std::map<std::string, std::string>& flags,
                              const std::string& settings_file, const environment& env) {
  return settings_loader(flags, env).run(settings_file);
}

}  // namespace cmlrec::config
