#include "config/settings.hpp"

#include "config/support.hpp"

#include <set>

#include <gtest/gtest.h>

namespace cmlrec::config {
namespace {

using flags = std::map<std::string, std::string>;

loaded_settings from(const flags& given, variables values = {}, const std::string& file = {}) {
  return load_settings(given, file, env_of(std::move(values)));
}

TEST(ConfigSettings, DefaultsNeedNothing) {
  const auto result = from({});
  EXPECT_EQ(lines(result.errors), "");
  EXPECT_EQ(result.values.config_path, "jobs_config.yaml");
  EXPECT_EQ(result.values.listen, "127.0.0.1:9464");
  EXPECT_EQ(result.values.interval, std::chrono::seconds{60});
  EXPECT_TRUE(result.values.api_key.empty());
}

TEST(ConfigSettings, FlagBeatsVariableBeatsFileBeatsDefault) {
  const temporary_directory dir;
  const auto file = dir.write("s.yaml", "interval: 10s\nmax_in_flight: 2\nlog-level: debug\n");
  const auto result =
      from({{"interval", "30s"}},
           {{"CML_RECONCILER_INTERVAL", "20s"}, {"CML_RECONCILER_MAX_IN_FLIGHT", "3"}}, file);
  EXPECT_EQ(lines(result.errors), "");
  EXPECT_EQ(result.values.interval, std::chrono::seconds{30});
  EXPECT_EQ(result.values.max_in_flight, 3);
  EXPECT_EQ(result.values.log_level, "debug");
  EXPECT_EQ(result.values.log_format, "logfmt");
}

TEST(ConfigSettings, NamesMayHaveDashesOrUnderscores) {
  EXPECT_EQ(from({{"runs-refresh", "0"}}).values.runs_refresh, core::duration{0});
  EXPECT_EQ(from({{"runs_refresh", "0"}}).values.runs_refresh, core::duration{0});
}

TEST(ConfigSettings, WellKnownVariablesAreRead) {
  const auto s = from({}, {{"CML_HOST", "ml.example.com/"},
                           {"HTTPS_PROXY", "http://u:p@proxy:3128/"},
                           {"no_proxy", ".example.com"},
                           {"CML_PROJECT_NAME", "x"},
                           {"FORCE_REBUILD", "Yes"}});
  EXPECT_EQ(lines(s.errors), "");
  EXPECT_EQ(s.values.host, "ml.example.com/");
  EXPECT_EQ(s.values.proxy, "http://u:p@proxy:3128");
  EXPECT_EQ(s.values.no_proxy, ".example.com");
  EXPECT_EQ(s.values.project, "x");
  EXPECT_TRUE(s.values.force_rebuild);
}

TEST(ConfigSettings, ProxyWithoutASchemeIsTaken) {
  EXPECT_EQ(from({}, {{"https_proxy", "proxy:3128"}}).values.proxy, "http://proxy:3128");
}

TEST(ConfigSettings, ProxyWithAnImpossiblePortIsRefused) {
  for (const char* bad : {"http://proxy:99999", "proxy:0", "http://:3128", "http://proxy:1/path"})
    EXPECT_EQ(from({}, {{"HTTPS_PROXY", bad}}).errors.size(), 1U) << bad;
}

TEST(ConfigSettings, BadProxyIsRefusedUnseen) {
  const auto s = from({}, {{"HTTPS_PROXY", "https://u:hunter2@proxy:3128"}});
  ASSERT_EQ(s.errors.size(), 1U);
  EXPECT_EQ(s.errors[0].file, "$HTTPS_PROXY");
  EXPECT_EQ(s.errors[0].message.find("hunter2"), std::string::npos);
}

TEST(ConfigSettings, ForceRebuildIsReadStrictly) {
  for (const char* yes : {"true", "1", "YES", "on"})
    EXPECT_TRUE(from({}, {{"FORCE_REBUILD", yes}}).values.force_rebuild) << yes;
  for (const char* no : {"false", "0", "No", "off", ""}) {
    const auto s = from({}, {{"FORCE_REBUILD", no}});
    EXPECT_FALSE(s.values.force_rebuild) << no;
    EXPECT_EQ(lines(s.errors), "") << no;
  }
  const auto odd = from({}, {{"FORCE_REBUILD", "maybe"}});
  EXPECT_EQ(lines(odd.errors),
            "$FORCE_REBUILD: 'maybe' is wrong; expected true, yes, on, 1, or false, no, off, 0\n");
}

TEST(ConfigSettings, BareFlagIsTrue) {
  EXPECT_TRUE(from({{"stop-overdue", ""}}).values.stop_overdue);
  EXPECT_TRUE(from({{"stop-overdue", "true"}}).values.stop_overdue);
  EXPECT_FALSE(from({{"stop-overdue", "false"}}).values.stop_overdue);
}

TEST(ConfigSettings, EachBadValueNamesItsSource) {
  const temporary_directory dir;
  const auto file = dir.write("s.yaml", "# settings\nmax_in_flight: 0\n");
  const auto result = from({{"interval", "soon"}}, {{"CML_RECONCILER_LOG_FORMAT", "loud"}}, file);
  EXPECT_EQ(lines(result.errors),
            file +
                ":2:16: max_in_flight: '0' is wrong; expected a whole number from 1 to 256\n"
                "$CML_RECONCILER_LOG_FORMAT: 'loud' is wrong; expected logfmt or json\n"
                "--interval: 'soon' is wrong; expected a duration such as 30s or 5m from 100ms "
                "to 24h\n");
}

TEST(ConfigSettings, OutOfRangeIsRefused) {
  const flags bad = {
      {"interval", "10ms"},       {"max-in-flight", "257"}, {"requests-per-second", "-1"},
      {"max-runs-per-hour", "0"}, {"listen", "9464"},       {"log-format", "xml"},
      {"host", "ftp://h"}};
  for (const auto& [name, value] : bad) {
    const auto result = from({{name, value}});
    ASSERT_EQ(result.errors.size(), 1U) << name;
    EXPECT_EQ(result.errors[0].file, "--" + name);
  }
}

TEST(ConfigSettings, ListenTakesNamesAndAddresses) {
  for (const char* good : {"127.0.0.1:0", "0.0.0.0:9464", "[::1]:80", "localhost:65535"})
    EXPECT_EQ(from({{"listen", good}}).values.listen, good);
  for (const char* bad : {"", ":80", "h:", "h:65536", "h:x", "::1:80", "http://h:80", "[]:80"})
    EXPECT_EQ(from({{"listen", bad}}).errors.size(), 1U) << bad;
}

TEST(ConfigSettings, UnknownKeyOfTheFileSuggestsTheNearest) {
  const temporary_directory dir;
  const auto file =
      dir.write("s.yaml", "intervall: 10s\napi_key: hunter2\ninterval: 1s\ninterval: 2s\n");
  const auto result = from({}, {}, file);
  EXPECT_EQ(lines(result.errors),
            file + ":1:1: unknown setting 'intervall'; did you mean 'interval'?\n" + file +
                ":2:1: the API key does not belong into a file of settings; expected "
                "'api_key_file:', or the variable CML_API_KEY\n" +
                file + ":4:1: duplicate key 'interval'; it stands already in line 3\n");
}

TEST(ConfigSettings, UnknownFlagSuggestsTheNearest) {
  EXPECT_EQ(lines(from({{"intervall", "1s"}}).errors),
            "--intervall: unknown flag; did you mean 'interval'?\n");
}

TEST(ConfigSettings, OddFilesAreErrors) {
  const temporary_directory dir;
  EXPECT_EQ(from({}, {}, dir.path() + "/none").errors.size(), 1U);
  EXPECT_EQ(from({}, {}, dir.write("list.yaml", "- a\n")).errors.size(), 1U);
  EXPECT_EQ(from({}, {}, dir.write("nested.yaml", "interval: [1]\n")).errors.size(), 1U);
  EXPECT_EQ(from({}, {}, dir.write("empty.yaml", "# nothing\n")).errors.size(), 0U);
}

TEST(ConfigSettings, KeyIsFoundInTheOrderOfPrecedence) {
  const temporary_directory dir;
  const auto of_flag = dir.write("flag", "flag\n");
  const auto of_variable = dir.write("variable", "variable\n");
  const auto of_file = dir.write("file", "file\n");
  const auto settings_file = dir.write("s.yaml", "api_key_file: " + of_file + "\n");
  const variables both = {{"CML_API_KEY", "direct"}, {"CML_API_KEY_FILE", of_variable}};
  const auto with_flag = from({{"api-key-file", of_flag}}, both, settings_file);
  EXPECT_EQ(with_flag.values.api_key.reveal(), "flag");
  EXPECT_EQ(with_flag.values.api_key_file, of_flag);
  const auto direct = from({}, both, settings_file);
  EXPECT_EQ(direct.values.api_key.reveal(), "direct");
  EXPECT_EQ(direct.values.api_key_file, "");
  EXPECT_EQ(from({}, {{"CML_API_KEY_FILE", of_variable}}, settings_file).values.api_key.reveal(),
            "variable");
  EXPECT_EQ(from({}, {}, settings_file).values.api_key.reveal(), "file");
}

TEST(ConfigSettings, KeyFileThatCannotBeReadIsToldAndMayStillCome) {
  const auto result = from({{"api-key-file", "/nonexistent/key"}});
  EXPECT_TRUE(result.errors.empty());
  EXPECT_TRUE(result.values.api_key.empty());
  EXPECT_NE(result.values.api_key_problem.find("/nonexistent/key"), std::string::npos)
      << result.values.api_key_problem;
}

TEST(ConfigSettings, TableNamesEachSettingOnce) {
  std::set<std::string_view> names;
  std::set<std::string_view> used;
  for (const auto& row : setting_table()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_TRUE(used.insert(row.variable).second) << row.variable;
    EXPECT_FALSE(row.help.empty()) << row.name;
  }
  EXPECT_TRUE(names.contains("scheduling_deadline"));
  EXPECT_TRUE(used.contains("CML_RECONCILER_SCHEDULING_DEADLINE"));
  EXPECT_FALSE(names.contains("api_key"));
}

TEST(ConfigSettings, DefaultsOfTheTableAreTaken) {
  for (const auto& row : setting_table()) {
    if (row.default_text.empty()) continue;
    EXPECT_EQ(lines(from({{std::string(row.name), row.default_text}}).errors), "") << row.name;
  }
}

TEST(ConfigSettings, ExampleFileShowsEverySettingWithItsDefault) {
  const std::string path = std::string(CMLREC_SOURCE_DIR) + "/config/reconciler.yaml";
  EXPECT_EQ(lines(from({}, {}, path).errors), "");
  const std::string text = read(path);
  std::string uncommented;
  for (const auto& row : setting_table()) {
    const std::string shown = row.default_text.empty() ? "\"\"" : row.default_text;
    const std::string line = std::string(row.name) + ": " + shown + "\n";
    EXPECT_NE(text.find("\n# " + line), std::string::npos) << line;
    uncommented += line;
  }
  const temporary_directory dir;
  EXPECT_EQ(lines(from({}, {}, dir.write("s.yaml", uncommented)).errors), "");
}

}  // namespace
}  // namespace cmlrec::config
