// Lists of several pages: read to their end, or an error. Where a page comes from is the caller's
// matter: over HTTP in http_api.cpp, from memory in the tests.
#pragma once

#include "cml/api.hpp"
#include "cml/codec.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace cmlrec::cml {

inline constexpr std::size_t most_runs_of_an_unsorted_history = 10'000;
inline constexpr std::size_t most_items_of_a_list = 100'000;

// A few runs in order prove nothing about a server that does not sort, and those of the last hour
// must all be known to whoever counts them: no fewer than this are read, however small the pages
// are.
inline constexpr std::size_t fewest_runs = 50;
inline constexpr core::duration shortest_history = std::chrono::hours{1};

// What a list is called in its errors.
struct list_name {
  const char* operation;  // "ListJobs"
  std::string object;     // "the jobs of project ..."
};

// The items of all pages so far, each once.
template <class T>
class gathered {
 public:
  explicit gathered(list_name name) : name_(std::move(name)) {}

  // An error where the server leads in a circle.
  std::optional<core::error> add(page<T> next) {
    for (auto& item : next.items)
      if (ids_.insert(item.id).second) items.push_back(std::move(item));
    token = std::move(next.next_token);
    if (!token.empty() && !tokens_.insert(token).second)
      return failed("CML repeated the page token '" + token.substr(0, 40) +
                    "': the list cannot be read to its end");
    return std::nullopt;
  }
  core::error failed(std::string why) const {
    core::error out(core::error_kind::server, std::move(why));
    out.operation = name_.operation;
    out.object = name_.object;
    return out;
  }

  std::vector<T> items;
  std::string token;  // of the next page; empty: there is none

 private:
  list_name name_;
  std::set<std::string> ids_;
  std::set<std::string> tokens_;
};

// `fetch(token)` awaits a result<page<T>>; an empty token asks for the first page. It must outlive
// the call.
template <class T, class Fetch>
async_result<std::vector<T>> read_whole_list(list_name name, Fetch& fetch) {
  gathered<T> all(std::move(name));
  do {
    core::result<page<T>> next = co_await fetch(all.token);
    if (!next) co_return next.error();
    if (auto trouble = all.add(std::move(*next))) co_return std::move(*trouble);
    if (all.items.size() > most_items_of_a_list)
      co_return all.failed("more than 100,000 items: the list is not read further");
  } while (!all.token.empty());
  co_return std::move(all.items);
}

// See api::list_runs.
template <class Fetch>
async_result<runs_page> read_newest_runs(list_name name, int most, Fetch& fetch) {
  const auto newer = [](const run& a, const run& b) { return a.created_at > b.created_at; };
  gathered<run> all(std::move(name));
  bool sorted = true;
  do {
    core::result<page<run>> next = co_await fetch(all.token);
    if (!next) co_return next.error();
    if (auto trouble = all.add(std::move(*next))) co_return std::move(*trouble);
    // Without a stamp a run's place in the order is not known: no order can be relied upon.
    sorted = std::is_sorted(all.items.begin(), all.items.end(), newer) &&
             std::all_of(all.items.begin(), all.items.end(),
                         [](const run& r) { return r.created_at.has_value(); });
    const bool success = std::any_of(all.items.begin(), all.items.end(),
                                     [](const run& r) { return r.state == run_state::succeeded; });
    if (!sorted && all.items.size() > most_runs_of_an_unsorted_history)
      co_return all.failed("CML does not sort the runs, and there are more than 10,000 of them");
    const bool plenty =
        all.items.size() >= fewest_runs && sorted &&
        *all.items.back().created_at + shortest_history < *all.items.front().created_at;
    const bool enough = (success && plenty) || static_cast<long long>(all.items.size()) >= most;
    if (sorted && enough) break;
  } while (!all.token.empty());
  std::stable_sort(all.items.begin(), all.items.end(), newer);
  runs_page out;
  out.complete = all.token.empty();
  out.runs = std::move(all.items);
  co_return std::move(out);
}

}  // namespace cmlrec::cml
