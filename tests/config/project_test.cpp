#include "config/support.hpp"

#include <gtest/gtest.h>

namespace cmlrec::config {
namespace {

const std::string jobs = "jobs:\n  a: {script: a.py, kernel: k}\n";

project_spec project_of(const std::string& text, variables values = {},
                        std::optional<std::string> name = {}) {
  const loaded result = load_yaml(text, std::move(values), std::move(name));
  EXPECT_EQ(lines(result.errors), "");
  return result.state ? result.state->projects.at(0) : project_spec{};
}

core::text text_of(const project_spec& project, std::string_view name) {
  const auto at = project.fields.find(name);
  return at == project.fields.end() ? core::text("(not given)") : std::get<core::text>(at->second);
}

TEST(ConfigProject, NameComesFromTheFlagTheVariableOrIsTheOriginals) {
  EXPECT_EQ(project_of(jobs).name, "ray-cluster");
  EXPECT_EQ(project_of(jobs, {{"CML_PROJECT_NAME", "v"}}).name, "v");
  EXPECT_EQ(project_of(jobs, {{"CML_PROJECT_NAME", "v"}}, "flag").name, "flag");
  EXPECT_EQ(project_of("project: file\n" + jobs, {{"CML_PROJECT_NAME", "v"}}).name, "file");
  EXPECT_EQ(text_of(project_of(jobs), "name").value, "ray-cluster");
}

TEST(ConfigProject, FlagThatDiffersFromTheFileIsAnError) {
  const auto result = load_yaml("project: file\n" + jobs, {}, "flag");
  EXPECT_FALSE(result.state);
  EXPECT_EQ(lines(result.errors),
            "f.yaml:1:1: there is no project 'flag', which --project (or CML_PROJECT_NAME) asks "
            "for; expected one of 'file'\n");
}

TEST(ConfigProject, FlagTakesOneOfSeveral) {
  const std::string text =
      "projects:\n  x:\n    jobs: {a: {script: a.py}}\n  y:\n    jobs: {b: {script: b.py}}\n";
  EXPECT_EQ(project_of(text, {}, "y").jobs.at(0).key, "b");
  const auto result = load_yaml(text, {}, "z");
  ASSERT_EQ(result.errors.size(), 1U);
  EXPECT_NE(result.errors[0].message.find("expected one of 'x', 'y'"), std::string::npos);
}

TEST(ConfigProject, FieldsThatSteerTheDaemonAreNotSent) {
  const auto project = project_of(
      "project: {name: x, owner: alice, prune: true, prune_limit: 5, suspend: true,"
      " clone_timeout: 20m, environment_policy: merge, visibility: public,"
      " shared_memory_limit: 64}\n" +
      jobs);
  EXPECT_EQ(project.owner, "alice");
  EXPECT_TRUE(project.prune);
  EXPECT_EQ(project.prune_limit, 5);
  EXPECT_TRUE(project.suspend);
  EXPECT_EQ(project.clone_timeout, std::chrono::minutes{20});
  EXPECT_EQ(project.env_policy, environment_policy::merge);
  const core::field_set expected = {{"name", core::text("x")},
                                    {"visibility", core::text("public")},
                                    {"shared_memory_limit", std::int64_t{64}}};
  EXPECT_EQ(project.fields, expected);
}

TEST(ConfigProject, ShorthandOfARepositoryBecomesAUrl) {
  const auto git = [](const std::string& url) {
    const auto p = project_of("project: {git_url: '" + url + "'}\n" + jobs);
    EXPECT_EQ(text_of(p, "template").value, "git");
    return text_of(p, "git_url").value;
  };
  EXPECT_EQ(git("owner/name"), "https://github.com/owner/name");
  EXPECT_EQ(git("owner/name.git"), "https://github.com/owner/name.git");
  EXPECT_EQ(git("https://git.example.com/a/b.git"), "https://git.example.com/a/b.git");
  EXPECT_EQ(git("git@github.com:owner/name.git"), "git@github.com:owner/name.git");
  EXPECT_EQ(git("ssh://git@host/x"), "ssh://git@host/x");
}

TEST(ConfigProject, RepositoryComesFromTheEnvironmentWhereTheFileGivesNone) {
  const variables env = {{"GITHUB_REPOSITORY", "owner/name"}};
  EXPECT_EQ(text_of(project_of(jobs, env), "git_url").value, "https://github.com/owner/name");
  EXPECT_FALSE(text_of(project_of(jobs, env), "git_url").secret);
  EXPECT_EQ(text_of(project_of("project: {git_url: a/b}\n" + jobs, env), "git_url").value,
            "https://github.com/a/b");
  EXPECT_FALSE(project_of("project: {template: Python}\n" + jobs, env).fields.contains("git_url"));
}

TEST(ConfigProject, TokenIsPutIntoUrlsOfGithubAndIsSecret) {
  const variables env = {{"GITHUB_REPOSITORY", "owner/name"}, {"GH_PAT", "ghp_x/y"}};
  const auto url = text_of(project_of(jobs, env), "git_url");
  EXPECT_EQ(url.value, "https://x-access-token:ghp_x%2Fy@github.com/owner/name");
  EXPECT_TRUE(url.secret);
}

TEST(ConfigProject, TokenIsForGithubWithoutCredentialsAlone) {
  for (const char* other : {"https://git.example.com/a/b", "https://github.com.example.com/a/b",
                            "http://github.com/a/b", "https://github.com:8443/a/b",
                            "git@github.com:a/b", "https://u:p@github.com/a/b"}) {
    const auto p = project_of(std::string("project: {git_url: '") + other + "'}\n" + jobs,
                              {{"GH_PAT", "ghp_x"}});
    EXPECT_EQ(text_of(p, "git_url").value, other);
  }
}

TEST(ConfigProject, CredentialsInAUrlOfTheFileAreSecret) {
  const auto git = [](const std::string& url) {
    return text_of(project_of("project: {git_url: '" + url + "'}\n" + jobs), "git_url").secret;
  };
  EXPECT_TRUE(git("https://user:password@git.example.com/a"));
  EXPECT_TRUE(git("https://token@git.example.com/a"));
  EXPECT_FALSE(git("ssh://git@git.example.com/a"));
}

TEST(ConfigProject, BadRepositoryOfTheEnvironmentIsAnError) {
  const auto result = load_yaml(jobs, {{"GITHUB_REPOSITORY", "not one"}});
  ASSERT_EQ(result.errors.size(), 1U);
  EXPECT_NE(result.errors[0].message.find("GITHUB_REPOSITORY"), std::string::npos);
}

const std::string id = "abcd-1234-efgh-5678";

TEST(ConfigProject, IdComesFromTheFileThenFromTheEnvironment) {
  EXPECT_EQ(project_of("project: {id: " + id + "}\n" + jobs, {{"CDSW_PROJECT_ID", "x"}}).id, id);
  EXPECT_EQ(project_of(jobs, {{"CDSW_PROJECT_ID", id}, {"CML_PROJECT_ID", "x"}}).id, id);
  EXPECT_EQ(project_of(jobs, {{"CML_PROJECT_ID", id}}).id, id);
  EXPECT_FALSE(project_of(jobs).id);
}

TEST(ConfigProject, IdOfTheEnvironmentRenamesNothing) {
  const auto result = load_yaml("project: x\n" + jobs, {{"CDSW_PROJECT_ID", id}});
  ASSERT_TRUE(result.state);
  EXPECT_FALSE(result.state->projects[0].fields.contains("name"));
  EXPECT_EQ(result.warnings.size(), 1U);
  EXPECT_FALSE(project_of("project: {id: " + id + "}\n" + jobs).fields.contains("name"));
  EXPECT_TRUE(project_of("project: {name: x, id: " + id + "}\n" + jobs).fields.contains("name"));
}

TEST(ConfigProject, IdOfTheEnvironmentHasToBeOne) {
  const auto result = load_yaml(jobs, {{"CDSW_PROJECT_ID", "17"}});
  ASSERT_EQ(result.errors.size(), 1U);
  EXPECT_NE(result.errors[0].message.find("CDSW_PROJECT_ID"), std::string::npos);
}

TEST(ConfigProject, TwoProjectsOfOneIdAreAnError) {
  const std::string body = "    id: " + id + "\n    jobs: {a: {script: a.py}}\n";
  EXPECT_EQ(load_yaml("projects:\n  x:\n" + body + "  y:\n" + body).errors.size(), 1U);
}

TEST(ConfigProject, OneNameOfTwoOwnersIsTwoProjects) {
  const auto result = load_yaml(
      "projects:\n  x: {owner: a, jobs: {j: {script: j.py}}}\n"
      "  y: {name: x, owner: b, jobs: {j: {script: j.py}}}\n");
  EXPECT_EQ(lines(result.errors), "");
}

TEST(ConfigVerify, ChecksAreJobsOrRequests) {
  const auto project = project_of(
      jobs +
      "verify:\n  - a\n  - {job: a, name: again}\n"
      "  - {url: 'https://h.example.com/x', expected_status: 204, body_contains: ok, timeout: 5,"
      " retries: 0, name: page}\n  - http: http://h.example.com\n");
  ASSERT_EQ(project.verify.size(), 4U);
  EXPECT_EQ(std::get<std::string>(project.verify[0].what), "a");
  EXPECT_EQ(project.verify[0].name, "a");
  EXPECT_EQ(project.verify[1].name, "again");
  const auto& request = std::get<http_check>(project.verify[2].what);
  EXPECT_EQ(project.verify[2].name, "page");
  EXPECT_EQ(request.url, "https://h.example.com/x");
  EXPECT_EQ(request.expected_status, 204);
  EXPECT_EQ(request.body_contains, "ok");
  EXPECT_EQ(request.timeout, std::chrono::seconds{5});
  EXPECT_EQ(request.retries, 0);
  EXPECT_EQ(std::get<http_check>(project.verify[3].what).expected_status, 200);
  EXPECT_EQ(project.verify[3].name, "http://h.example.com");
}

TEST(ConfigVerify, NameOfACheckShowsNoSecret) {
  const auto project = project_of(
      jobs +
          "verify:\n  - http: 'http://h.example.com/${S}'\n  - http: http://u:hunter2@h/\n"
          "  - http: http://h/?key=hunter2\n",
      {{"S", "hunter2"}});
  ASSERT_EQ(project.verify.size(), 3U);
  for (const auto& check : project.verify)
    EXPECT_EQ(check.name.find("hunter2"), std::string::npos) << check.name;
}

}  // namespace
}  // namespace cmlrec::config
