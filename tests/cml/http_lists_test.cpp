#include "http_fixture.hpp"

namespace cmlrec::cml {
namespace {

using core::error_kind;
using testing::HasSubstr;

class HttpLists : public http_test {
 protected:
  HttpLists() { options.page_size = 2; }

  static std::string stamped(const std::string& id, int minute, const char* status = "FAILED") {
    return R"({"id":")" + id + R"(","status":"ENGINE_)" + status +
           R"(","created_at":"2026-01-02T03:)" + (minute < 10 ? "0" : "") + std::to_string(minute) +
           R"(:00Z"})";
  }
  static test::step runs(const std::vector<std::string>& items, const std::string& token = "") {
    std::string list;
    for (const auto& i : items) list += (list.empty() ? "" : ",") + i;
    return test::json(R"({"job_runs":[)" + list + R"(],"next_page_token":")" + token + "\"}");
  }
  static std::string ids(const core::result<runs_page>& page) {
    if (!page) return "error: " + core::describe(page.error());
    std::string out;
    for (const auto& r : page->runs) out += r.id;
    return out;
  }
  core::result<runs_page> newest(int most) {
    return run(cml().list_runs("pppp", "jjjj", most, soon()));
  }
};

TEST_F(HttpLists, EveryPageRepeatsTheParameters) {
  server.then(test::json(R"({"projects":[{"id":"a","name":"DS"},{"id":"b","name":"DSE"}],
                             "next_page_token":"t/1"})"));
  server.then(test::json(R"({"projects":[{"id":"c","name":"DS"}],"next_page_token":""})"));
  const auto list = run(cml().list_projects("D\"S", soon()));
  ASSERT_TRUE(list) << core::describe(list.error());
  EXPECT_EQ(list->size(), 3U);
  const std::string first =
      "GET /api/v2/projects?page_size=2&sort=-created_at&search_filter="
      "%7B%22name%22%3A%22D%5C%22S%22%7D";
  EXPECT_THAT(lines(),
              testing::ElementsAre(first + " HTTP/1.1", first + "&page_token=t%2F1 HTTP/1.1"));
}

TEST_F(HttpLists, JobsNeedNoFilter) {
  server.then(test::json(R"({"jobs":[{"id":"a","name":"x"}]})"));
  ASSERT_EQ(run(cml().list_jobs("pppp", soon()))->size(), 1U);
  EXPECT_EQ(lines().at(0), "GET /api/v2/projects/pppp/jobs?page_size=2&sort=-created_at HTTP/1.1");
}

TEST_F(HttpLists, ItemThatIsOnTwoPagesIsTakenOnce) {
  server.then(test::json(R"({"jobs":[{"id":"a","name":"x"},{"id":"b","name":"y"}],
                             "next_page_token":"1"})"));
  server.then(test::json(R"({"jobs":[{"id":"b","name":"y"},{"id":"c","name":"z"}]})"));
  EXPECT_EQ(run(cml().list_jobs("pppp", soon()))->size(), 3U);
}

TEST_F(HttpLists, RepeatedTokenFailsTheList) {
  server.always(test::json(R"({"jobs":[{"id":"a","name":"x"}],"next_page_token":"same"})"));
  const auto list = run(cml().list_jobs("pppp", soon()));
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().kind, error_kind::server);
  EXPECT_THAT(
      core::describe(list.error()),
      HasSubstr("ListJobs of the jobs of project pppp: CML repeated the page token 'same'"));
}

TEST_F(HttpLists, CircleOfTokensFailsTheList) {
  for (const char* token : {"1", "2", "3", "1"})
    server.then(test::json(std::string(R"({"jobs":[],"next_page_token":")") + token + "\"}"));
  const auto list = run(cml().list_jobs("pppp", soon()));
  ASSERT_FALSE(list);
  EXPECT_THAT(list.error().message, HasSubstr("repeated the page token '1'"));
}

TEST_F(HttpLists, PageThatFailsInTheMiddleFailsTheList) {
  server.then(test::json(R"({"jobs":[{"id":"a","name":"x"}],"next_page_token":"1"})"));
  server.then(test::answer(400, R"({"message":"bad token","code":3})"));
  const auto list = run(cml().list_jobs("pppp", soon()));
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().message, "bad token");
}

// Two hundred pages at 20 requests per second take longer than any one call may.
TEST_F(HttpLists, EachPageHasTheTimeOfACall) {
  options.requests_per_second = 1;
  for (int i = 1; i <= 9; ++i)
    server.then(test::json(R"({"jobs":[{"id":")" + std::to_string(i) +
                           R"(","name":"x"}],"next_page_token":")" + std::to_string(i) + "\"}"));
  server.then(test::json(R"({"jobs":[{"id":"a","name":"x"}]})"));
  const auto list = run(cml().list_jobs("pppp", clock.in(std::chrono::seconds{4})));
  ASSERT_TRUE(list) << core::describe(list.error());
  EXPECT_EQ(list->size(), 10U);
}

TEST_F(HttpLists, PageThatFailsOnceIsReadAgain) {
  server.then(test::json(R"({"jobs":[{"id":"a","name":"x"}],"next_page_token":"1"})"));
  server.then(test::answer(503, "{}"));
  server.then(test::json(R"({"jobs":[{"id":"b","name":"y"}]})"));
  EXPECT_EQ(run(cml().list_jobs("pppp", soon()))->size(), 2U);
}

TEST_F(HttpLists, NotAllowedToListIsAboutTheKey) {
  server.then(test::answer(403, R"({"message":"denied","code":7})"));
  EXPECT_EQ(run(cml().list_projects("x", soon())).error().kind, error_kind::credentials);
}

TEST_F(HttpLists, RunsAreAskedForNewestFirst) {
  server.then(runs({stamped("a", 2), stamped("b", 1)}));
  const auto page = newest(10);
  EXPECT_EQ(ids(page), "ab");
  EXPECT_TRUE(page->complete);
  EXPECT_EQ(lines().at(0),
            "GET /api/v2/projects/pppp/jobs/jjjj/runs?page_size=2&sort=-created_at HTTP/1.1");
}

TEST_F(HttpLists, RunsAreReadUpToTheNumberAskedFor) {
  server.then(runs({stamped("a", 9), stamped("b", 8)}, "1"));
  server.then(runs({stamped("c", 7), stamped("d", 6)}, "2"));
  const auto page = newest(3);
  EXPECT_EQ(ids(page), "abcd");
  EXPECT_FALSE(page->complete);
}

TEST_F(HttpLists, UnsortedRunsAreAllReadAndSortedHere) {
  server.then(runs({stamped("a", 1, "SUCCEEDED"), stamped("b", 3)}, "1"));
  server.then(runs({stamped("c", 2, "SUCCEEDED"), stamped("d", 9)}, "2"));
  server.then(runs({stamped("e", 5)}));
  const auto page = newest(1);
  EXPECT_EQ(ids(page), "debca");
  EXPECT_TRUE(page->complete);
}

TEST_F(HttpLists, OrderThatBreaksOnlyBetweenPagesIsNoticed) {
  server.then(runs({stamped("a", 2), stamped("b", 1)}, "1"));
  server.then(runs({stamped("c", 9), stamped("d", 8, "SUCCEEDED")}, "2"));
  server.then(runs({stamped("e", 30)}));
  EXPECT_EQ(ids(newest(4)), "ecdab");
}

TEST_F(HttpLists, RunsWithoutStampsAreInNoOrder) {
  server.then(runs({R"({"id":"a","status":"ENGINE_SUCCEEDED"})"}, "1"));
  server.then(runs({stamped("b", 5)}));
  EXPECT_EQ(ids(newest(1)), "ba");
}

}  // namespace
}  // namespace cmlrec::cml
