#include "config/cron.hpp"

#include <gtest/gtest.h>

namespace cmlrec::config {
namespace {

TEST(ConfigCron, TakesWhatCronTakes) {
  for (const char* good :
       {"* * * * *", "0 13 * * 1", "*/5 * * * *", "0-30/10 8-18 * * mon-fri", "0 0 1,15 * *",
        "0 0 * JAN,jul *", "59 23 31 12 7", "0 0 ? * ?", "5/15 * * * *", "  0  0 * * *  ", "@daily",
        "@Weekly", "@hourly", "@monthly", "@yearly", "@annually", "@midnight"})
    EXPECT_EQ(cron_error(good), std::nullopt) << good;
}

TEST(ConfigCron, RefusesEverythingElse) {
  for (const char* bad : {"* * * *",     "* * * * * *",   "60 * * * *",
                          "-1 * * * *",  "* 24 * * *",    "* * 0 * *",
                          "* * 32 * *",  "* * * 0 *",     "* * * 13 *",
                          "* * * * 8",   "*/0 * * * *",   "*/60 * * * *",
                          "*/ * * * *",  "1- * * * *",    "-5 * * * *",
                          "5-1 * * * *", "1,,2 * * * *",  "1, * * * *",
                          "a * * * *",   "? * * * *",     "* * * * funday",
                          "@every 5m",   "@reboot",       "@",
                          "1.5 * * * *", "1-2-3 * * * *", "99999999999999999999 * * * *"})
    EXPECT_NE(cron_error(bad), std::nullopt) << bad;
}

TEST(ConfigCron, SaysWhichFieldIsWrong) {
  EXPECT_EQ(cron_error("0 0 * * monday"),
            "the day of the week 'monday' is wrong; expected 0 to 7, or sun to sat");
}

}  // namespace
}  // namespace cmlrec::config
