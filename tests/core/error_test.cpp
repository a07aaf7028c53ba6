#include "core/error.hpp"

#include <stdexcept>

#include <gtest/gtest.h>

namespace cmlrec::core {
namespace {

TEST(CoreError, DescribeSaysOperationObjectStatusAndMessage) {
  error e(error_kind::server, "failed to forward request");
  e.operation = "CreateJob";
  e.object = "job 'git_sync'";
  e.http_status = 500;
  EXPECT_EQ(describe(e), "CreateJob of job 'git_sync': 500 failed to forward request");
}

TEST(CoreError, DescribeLeavesOutWhatIsNotKnown) {
  error e(error_kind::unreachable, "no route");
  EXPECT_EQ(describe(e), "no route");
  e.operation = "ListJobs";
  EXPECT_EQ(describe(e), "ListJobs: no route");
  e.operation.clear();
  e.object = "project 'x'";
  EXPECT_EQ(describe(e), "project 'x': no route");
}

TEST(CoreError, OnlyWhatMayPassByItselfIsTransient) {
  for (const auto kind : {error_kind::not_json, error_kind::unreachable, error_kind::timed_out,
                          error_kind::throttled, error_kind::server, error_kind::circuit_open})
    EXPECT_TRUE(is_transient(kind)) << to_string(kind);
  for (const auto kind :
       {error_kind::usage, error_kind::credentials, error_kind::not_found, error_kind::conflict,
        error_kind::refused, error_kind::cancelled, error_kind::internal})
    EXPECT_FALSE(is_transient(kind)) << to_string(kind);
}

TEST(CoreError, ValueOfAFailedResultIsABugThatSaysWhy) {
  const result<int> failed = error(error_kind::refused, "no such runtime");
  try {
    (void)failed.value();
    FAIL() << "expected an exception";
  } catch (const std::logic_error& e) {
    EXPECT_NE(std::string(e.what()).find("no such runtime"), std::string::npos);
  }
}

}  // namespace
}  // namespace cmlrec::core
