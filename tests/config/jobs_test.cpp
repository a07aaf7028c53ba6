#include "config/support.hpp"

#include <gtest/gtest.h>

namespace cmlrec::config {
namespace {

// The jobs of a text that has to be good.
std::vector<job_spec> jobs_of(std::string_view text, variables values = {}) {
  const loaded result = load_yaml(text, std::move(values));
  EXPECT_EQ(lines(result.errors), "");
  return result.state ? result.state->projects.at(0).jobs : std::vector<job_spec>(4);
}

template <class T>
T field(const job_spec& job, std::string_view name) {
  const auto at = job.fields.find(name);
  if (at == job.fields.end()) {
    ADD_FAILURE() << "no field " << name;
    return T{};
  }
  return std::get<T>(at->second);
}

TEST(ConfigJobs, OnlyWhatTheFileGivesIsOwned) {
  const auto jobs = jobs_of("jobs:\n  a:\n    script: a.py\n");
  EXPECT_EQ(jobs[0].fields.size(), 2U);
  EXPECT_EQ(field<core::text>(jobs[0], "name").value, "a");
  EXPECT_EQ(field<core::text>(jobs[0], "script").value, "a.py");
  EXPECT_FALSE(jobs[0].owns_parent);
}

TEST(ConfigJobs, NullMeansNotGivenExceptForTheParent) {
  const auto jobs =
      jobs_of("jobs:\n  a: {script: a.py, cpu: ~, environment: ~, parent_job_key: ~}\n");
  EXPECT_EQ(jobs[0].fields.size(), 2U);
  EXPECT_TRUE(jobs[0].owns_parent);
  EXPECT_FALSE(jobs[0].parent_key);
}

TEST(ConfigJobs, AliasesAreStoredUnderTheNameOfTheTable) {
  const auto jobs = jobs_of(
      "jobs:\n  a: {script: a.py, gpu: 2, runtime_id: 'image:1'}\n"
      "  b: {script: b.py, parent_job_id: a}\n");
  EXPECT_EQ(field<std::int64_t>(jobs[0], "nvidia_gpu"), 2);
  EXPECT_EQ(field<core::text>(jobs[0], "runtime_identifier").value, "image:1");
  EXPECT_EQ(jobs[1].parent_key, "a");
  EXPECT_FALSE(jobs[1].fields.contains("parent_job_key"));
}

TEST(ConfigJobs, WhatSteersTheDaemonIsNotSent) {
  const auto jobs = jobs_of(
      "jobs:\n  a: {script: a.py, description: d, run: on_change, suspend: true,"
      " environment_policy: merge, retry: {max_attempts: 4, backoff: 5, max_backoff: 2m}}\n");
  EXPECT_EQ(jobs[0].fields.size(), 2U);
  EXPECT_EQ(jobs[0].description, "d");
  EXPECT_EQ(jobs[0].run, run_policy::on_change);
  EXPECT_TRUE(jobs[0].suspend);
  EXPECT_EQ(jobs[0].env_policy, environment_policy::merge);
  EXPECT_EQ(jobs[0].retry.max_attempts, 4);
  EXPECT_EQ(jobs[0].retry.backoff, std::chrono::seconds{5});
  EXPECT_EQ(jobs[0].retry.max_backoff, std::chrono::minutes{2});
}

TEST(ConfigJobs, EnvironmentScalarsAreTakenAsWritten) {
  const auto jobs = jobs_of(
      "jobs:\n  a:\n    script: a.py\n    environment: {T: true, F: 1.50, I: 007, E: '', N: "
      "'~'}\n");
  const core::text_map expected = {
      {"T", "true"}, {"F", "1.50"}, {"I", "007"}, {"E", ""}, {"N", "~"}};
  EXPECT_EQ(field<core::text_map>(jobs[0], "environment"), expected);
}

TEST(ConfigJobs, ArgumentsOfAListAreQuotedForAShell) {
  const auto jobs = jobs_of(
      "jobs:\n  a: {script: a.py, arguments: [--n, 3, 'two words', \"it's\", '']}\n"
      "  b: {script: b.py, arguments: 'as it is  '}\n");
  EXPECT_EQ(field<core::text>(jobs[0], "arguments").value, "--n 3 'two words' 'it'\\''s' ''");
  EXPECT_EQ(field<core::text>(jobs[1], "arguments").value, "as it is  ");
}

TEST(ConfigJobs, WhatCameFromTheEnvironmentIsSecret) {
  const auto jobs = jobs_of(
      "jobs:\n  a:\n    script: '${NONE:-a.py}'\n    arguments: [x, '${S}']\n"
      "    environment: {A: '${S}', B: plain, C: '${NONE:-plain}'}\n"
      "    runtime_addon_identifiers: ['${S}', x]\n",
      {{"S", "hunter2"}});
  EXPECT_FALSE(field<core::text>(jobs[0], "script").secret);
  EXPECT_TRUE(field<core::text>(jobs[0], "arguments").secret);
  const auto environment = field<core::text_map>(jobs[0], "environment");
  EXPECT_TRUE(environment.at("A").secret);
  EXPECT_FALSE(environment.at("B").secret);
  EXPECT_FALSE(environment.at("C").secret);
  EXPECT_TRUE(field<core::text_list>(jobs[0], "runtime_addon_identifiers")[0].secret);
}

TEST(ConfigJobs, NumbersMayComeFromTheEnvironment) {
  const auto jobs =
      jobs_of("jobs:\n  a: {script: a.py, cpu: '${CPU}', timeout: '${T}', paused: '${P}'}\n",
              {{"CPU", "2.5"}, {"T", "10m"}, {"P", "yes"}});
  EXPECT_EQ(field<double>(jobs[0], "cpu"), 2.5);
  EXPECT_EQ(field<std::int64_t>(jobs[0], "timeout"), 600);
  EXPECT_TRUE(field<bool>(jobs[0], "paused"));
}

TEST(ConfigJobs, DefaultsFillWhatTheJobLeavesOut) {
  const auto jobs = jobs_of(
      "defaults: {cpu: 2, memory: 3, environment: {A: 1, B: 1}, suspend: true}\n"
      "project:\n  name: x\n  defaults: {memory: 4, environment: {B: 2, C: 2}}\n"
      "jobs:\n  a: {script: a.py, environment: {C: 3}}\n  b: {script: b.py, cpu: 9}\n");
  EXPECT_EQ(field<double>(jobs[0], "cpu"), 2);
  EXPECT_EQ(field<double>(jobs[0], "memory"), 4);
  EXPECT_TRUE(jobs[0].suspend);
  const core::text_map merged = {{"A", "1"}, {"B", "2"}, {"C", "3"}};
  EXPECT_EQ(field<core::text_map>(jobs[0], "environment"), merged);
  EXPECT_EQ(field<double>(jobs[1], "cpu"), 9);
}

TEST(ConfigJobs, RuntimeIsTheNearestOne) {
  const std::string text =
      "defaults: {%}\nproject:\n  name: x\n  #\njobs:\n  a: {script: a.py}\n"
      "  b: {script: b.py, runtime_identifier: own}\n";
  const auto with = [&](std::string_view defaults, std::string_view project) {
    std::string out = text;
    out.replace(out.find('%'), 1, defaults);
    out.replace(out.find('#'), 1, project);
    const auto jobs = jobs_of(out, {{"RUNTIME_IDENTIFIER", "variable"}});
    EXPECT_EQ(field<core::text>(jobs[1], "runtime_identifier").value, "own");
    return field<core::text>(jobs[0], "runtime_identifier").value;
  };
  EXPECT_EQ(with("", ""), "variable");
  EXPECT_EQ(with("", "runtime_identifier: project"), "project");
  EXPECT_EQ(with("runtime_id: default", "runtime_identifier: project"), "default");
}

TEST(ConfigJobs, NumericRuntimeOfTheEnvironmentIsRefused) {
  const auto result = load_yaml("jobs:\n  a: {script: a.py}\n", {{"RUNTIME_IDENTIFIER", "42"}});
  ASSERT_EQ(result.errors.size(), 1U);
  EXPECT_NE(result.errors[0].message.find("RUNTIME_IDENTIFIER"), std::string::npos);
}

TEST(ConfigJobs, MissingRuntimeIsOneWarning) {
  const auto result = load_yaml("jobs:\n  a: {script: a.py}\n  b: {script: b.py}\n");
  ASSERT_EQ(result.warnings.size(), 1U);
  EXPECT_TRUE(result.warnings[0].message.starts_with("no runtime for 'a', 'b'"));
}

TEST(ConfigJobs, KernelBesideARuntimeIsDroppedWithAWarning) {
  const auto result =
      load_yaml("jobs:\n  a: {script: a.py, kernel: python3, runtime_identifier: 'i:1'}\n");
  ASSERT_TRUE(result.state);
  EXPECT_FALSE(result.state->projects[0].jobs[0].fields.contains("kernel"));
  EXPECT_EQ(lines(result.warnings),
            "f.yaml:2:29: kernel: it is not sent, because CML refuses it together with a runtime; "
            "leave it out\n");
}

TEST(ConfigJobs, KernelWithoutARuntimeIsKept) {
  const auto jobs = jobs_of("jobs:\n  a: {script: a.py, kernel: python3}\n");
  EXPECT_EQ(field<core::text>(jobs[0], "kernel").value, "python3");
}

TEST(ConfigJobs, ScheduledJobIsWatchedUnlessTheFileSaysOtherwise) {
  const auto jobs = jobs_of(
      "jobs:\n  a: {script: a.py, schedule: '@daily'}\n"
      "  b: {script: b.py, schedule: '@daily', run: once}\n"
      "  c: {script: c.py, schedule: ''}\n  d: {script: d.py, run: never}\n");
  EXPECT_EQ(jobs[0].run, run_policy::never);
  EXPECT_EQ(jobs[1].run, run_policy::once);
  EXPECT_EQ(jobs[2].run, run_policy::once);
  EXPECT_EQ(jobs[3].run, run_policy::never);
}

TEST(ConfigJobs, WhatDependsOnAWatchedJobIsWatchedWhateverTheOrder) {
  const auto result = load_yaml(
      "jobs:\n  c: {script: c.py, parent_job_key: b, kernel: k, run: on_change}\n"
      "  b: {script: b.py, parent_job_key: a, kernel: k}\n"
      "  a: {script: a.py, schedule: '@daily', kernel: k}\n  d: {script: d.py, kernel: k}\n");
  ASSERT_TRUE(result.state);
  const auto& jobs = result.state->projects[0].jobs;
  EXPECT_EQ(jobs[0].run, run_policy::never);
  EXPECT_EQ(jobs[1].run, run_policy::never);
  EXPECT_EQ(jobs[3].run, run_policy::once);
  ASSERT_EQ(result.warnings.size(), 1U);
  EXPECT_EQ(result.warnings[0].line, 2);
}

TEST(ConfigJobs, ChildOfAScheduledJobThatRunsOnceRunsOnce) {
  const auto jobs = jobs_of(
      "jobs:\n  a: {script: a.py, schedule: '@daily', run: once}\n"
      "  b: {script: b.py, parent_job_key: a}\n");
  EXPECT_EQ(jobs[1].run, run_policy::once);
}

TEST(ConfigJobs, LatestRerunAfterApplies) {
  const auto jobs = jobs_of(
      "rerun_after: 2026-01-02\nproject:\n  name: x\n  rerun_after: 2026-01-03\n"
      "jobs:\n  a: {script: a.py, rerun_after: 2026-01-04}\n"
      "  b: {script: b.py, rerun_after: 2026-01-01}\n");
  EXPECT_EQ(jobs[0].rerun_after, core::parse_timestamp("2026-01-04"));
  EXPECT_EQ(jobs[1].rerun_after, core::parse_timestamp("2026-01-03"));
}

TEST(ConfigJobs, RecipientsAreAddressesOrMaps) {
  const auto jobs = jobs_of(
      "jobs:\n  a:\n    script: a.py\n    recipients:\n      - a@example.com\n"
      "      - {email: b@example.com, notify_on_success: true}\n");
  const auto list = field<core::recipient_list>(jobs[0], "recipients");
  ASSERT_EQ(list.size(), 2U);
  EXPECT_TRUE(list[0].on_failure && list[0].on_timeout && !list[0].on_success && !list[0].on_stop);
  EXPECT_TRUE(list[1].on_success && !list[1].on_failure);
}

TEST(ConfigJobs, LongBackoffRaisesTheLongestOne) {
  const auto jobs = jobs_of("jobs:\n  a: {script: a.py, retry: {max_attempts: 2, backoff: 1h}}\n");
  EXPECT_EQ(jobs[0].retry.max_backoff, std::chrono::hours{1});
}

TEST(ConfigJobs, AbsoluteScriptOutsideTheProjectIsAWarning) {
  const auto result = load_yaml(
      "jobs:\n  a: {script: /opt/a.py, kernel: k}\n  b: {script: /home/cdsw/b.py, kernel: k}\n");
  ASSERT_EQ(result.warnings.size(), 1U);
  EXPECT_EQ(result.warnings[0].line, 2);
}

TEST(ConfigJobs, FindingsComeInTheOrderOfTheText) {
  const auto result =
      load_yaml("jobs:\n  a: {script: a.py, parent_job_key: x}\n  b: {cpu: 0}\nfoo: 1\n");
  ASSERT_EQ(result.errors.size(), 4U);
  for (std::size_t i = 1; i < result.errors.size(); ++i)
    EXPECT_LE(result.errors[i - 1].line, result.errors[i].line);
}

TEST(ConfigFinding, ShowsThePlaceWhereThereIsOne) {
  EXPECT_EQ(to_string({"f", 2, 3, "m"}), "f:2:3: m");
  EXPECT_EQ(to_string({"f", 0, 0, "m"}), "f: m");
}

}  // namespace
}  // namespace cmlrec::config
