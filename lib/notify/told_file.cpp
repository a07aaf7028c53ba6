#include "notify/told_file.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

#include <boost/json.hpp>

namespace cmlrec::notify {
namespace {

namespace json = boost::json;
using times = std::map<std::string, core::timestamp>;

json::object to_json(const times& all) {
  json::object o;
  for (const auto& [key, at] : all) o[key] = core::format_timestamp(at);
  return o;
}

json::object to_json(const told& what) {
  json::object projects;
  for (const auto& [name, p] : what.projects) {
    json::object o;
    o["state"] = p.state;
    o["key"] = p.key;
    o["troubles"] = to_json(p.troubles);
    projects[name] = std::move(o);
  }
  json::object out;
  out["version"] = 1;
  out["projects"] = std::move(projects);
  out["refusals"] = to_json(what.refusals);
  return out;
}

const json::object* object_of(const json::object& o, std::string_view name) {
  const auto* v = o.if_contains(name);
  return v == nullptr ? nullptr : v->if_object();
}

std::string text_of(const json::object& o, std::string_view name) {
  const auto* v = o.if_contains(name);
  return v != nullptr && v->is_string() ? std::string(v->get_string()) : std::string();
}

times times_of(const json::object& o, std::string_view name) {
  times out;
  const auto* all = object_of(o, name);
  if (all == nullptr) return out;
  for (const auto& [key, value] : *all) {
    if (!value.is_string()) continue;
    if (const auto at = core::parse_timestamp(std::string_view(value.get_string())))
      out[std::string(key)] = *at;
  }
  return out;
}

}  // namespace

told_file::told_file(const std::string& directory)
    : path_(directory.empty() ? "" : directory + "/notified.json") {}

told told_file::load() const {
  told out;
  if (path_.empty()) return out;
  std::ifstream in(path_);
  if (!in) return out;
  std::ostringstream text;
  text << in.rdbuf();
  boost::system::error_code ec;
  const auto value = json::parse(text.str(), ec);
  if (ec || !value.is_object()) return out;
  const auto& all = value.get_object();
  out.refusals = times_of(all, "refusals");
  const auto* projects = object_of(all, "projects");
  if (projects == nullptr) return out;
  for (const auto& [name, one] : *projects) {
    const auto* o = one.if_object();
    if (o == nullptr) continue;
    auto& p = out.projects[std::string(name)];
    p.state = text_of(*o, "state");
    p.key = text_of(*o, "key");
    p.troubles = times_of(*o, "troubles");
  }
  return out;
}

bool told_file::save(const told& what, std::string& why) {
  if (path_.empty() || what == last_) return true;
  const auto temporary = path_ + ".new";
  {
    std::ofstream out(temporary, std::ios::trunc);
    out << json::serialize(to_json(what)) << '\n';
    out.flush();
    if (!out) {
      why = "cannot write " + temporary + ": " + std::strerror(errno);
      return false;
    }
  }
  if (std::rename(temporary.c_str(), path_.c_str()) != 0) {
    why = "cannot replace " + path_ + ": " + std::strerror(errno);
    return false;
  }
  last_ = what;
  return true;
}

}  // namespace cmlrec::notify
