// One page of a list: filter, order, page, and the token that leads to the next.
#pragma once

#include "simulator/model.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

namespace cmlrec::simulator {

struct list_query {
  std::optional<std::string> search_filter;
  std::optional<std::string> sort;
  std::optional<std::string> page_size;
  std::optional<std::string> page_token;
};

struct list_kind {
  std::string_view key;                   // the member of the answer: "jobs"
  std::vector<std::string_view> filters;  // what search_filter may name
  std::vector<std::string_view> sorts;    // what sort may name; empty: no sort at all
  bool runs = false;  // ordered only on demand, and the filter knows short status words
};

const list_kind& project_list();
const list_kind& job_list();
const list_kind& all_jobs_list();
const list_kind& run_list();
const list_kind& runtime_list();

// `path` goes into the token, so that a token of another list is refused. `fallback` answers for
// filter keys that the items themselves do not have (a run's job has the name).
answer<json::object> list_page(const list_kind& kind, std::string_view path,
                               std::vector<json::object> items, const list_query& query,
                               const json::object& fallback = {});

}  // namespace cmlrec::simulator
