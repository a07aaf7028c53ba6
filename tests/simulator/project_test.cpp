#include "simulator/fixture.hpp"

namespace cmlrec::simulator {
namespace {

class SimulatorProjects : public simulator_test {
 protected:
  response create(const std::string& more = {}) {
    return post("/api/v2/projects", R"({"name":"demo")" + more + "}");
  }
  std::string path_of(const response& made) { return "/api/v2/projects/" + made.text("id"); }
};

TEST_F(SimulatorProjects, AreCreatingUntilTheCloneIsDone) {
  const auto made = create(R"(,"git_url":"https://example.com/a.git")");
  EXPECT_EQ(made.text("creation_status"), "creating");
  pass(19);
  EXPECT_EQ(get(path_of(made)).text("creation_status"), "creating");
  pass(1);
  EXPECT_EQ(get(path_of(made)).text("creation_status"), "success");
}

TEST_F(SimulatorProjects, CloneFailsByScript) {
  rules how;
  how.projects["demo"].clone = clone_outcome::failure;
  start(how);
  const auto made = create();
  pass(20);
  EXPECT_EQ(get(path_of(made)).text("creation_status"), "failure");
}

TEST_F(SimulatorProjects, CloneNeverEndsByScript) {
  rules how;
  how.projects["demo"].clone = clone_outcome::never;
  start(how);
  const auto made = create();
  pass(86'400);
  EXPECT_EQ(get(path_of(made)).text("creation_status"), "creating");
}

TEST_F(SimulatorProjects, AnotherWordForSuccessCanBeScripted) {
  rules how;
  how.projects["demo"].ready_word = "";
  start(how);
  const auto made = create();
  pass(20);
  EXPECT_EQ(get(path_of(made)).text("creation_status"), "");
}

TEST_F(SimulatorProjects, ScriptsAreFoundOnlySomeTimeAfterTheClone) {
  const auto made = create();
  const std::string body = R"({"name":"a","script":"x.py","runtime_identifier":"i"})";
  pass(25);
  const auto early = post(path_of(made) + "/jobs", body);
  EXPECT_EQ(early.status, 400);
  EXPECT_EQ(early.message(), "script 'x.py' not found in project directory");
  pass(5);
  EXPECT_EQ(post(path_of(made) + "/jobs", body).status, 200);
}

TEST_F(SimulatorProjects, NamesAreNotUniqueUnlessAsked) {
  EXPECT_EQ(create().status, 200);
  EXPECT_EQ(create().status, 200);
  EXPECT_EQ(ledger_now().at("duplicate_names").to_number<int>(), 1);
  rules how;
  how.unique_names = true;
  start(how);
  EXPECT_EQ(create().status, 200);
  const auto second = create();
  EXPECT_EQ(second.status, 409);
  EXPECT_EQ(second["code"].as_int64(), 6);
}

TEST_F(SimulatorProjects, EnvironmentIsAnObjectToWriteAndAStringToRead) {
  EXPECT_EQ(create(R"(,"environment":{"A":"b"})").text("environment"), R"({"A":"b"})");
  EXPECT_EQ(create(R"(,"environment":"{}")").status, 400);
}

TEST_F(SimulatorProjects, GitAndTemplateCannotBeReadBack) {
  const auto made = create(R"(,"git_url":"https://example.com/a.git","git_ref":"main")");
  const auto read = get(path_of(made));
  for (const char* name : {"git_url", "git_ref", "template", "default_project_engine_type"})
    EXPECT_FALSE(read.body.as_object().contains(name)) << name;
  EXPECT_EQ(read.text("default_engine_type"), "ml_runtime");
}

TEST_F(SimulatorProjects, GitCannotBeChanged) {
  const auto made = create();
  EXPECT_EQ(patch(path_of(made), R"({"git_ref":"main"})").status, 400);
}

TEST_F(SimulatorProjects, PatchChangesOnlyWhatItNames) {
  const auto made = create(R"(,"description":"old","visibility":"public")");
  pass(1);
  const auto r = patch(path_of(made), R"({"description":"new","id":"ignored"})");
  EXPECT_EQ(r.status, 200);
  EXPECT_EQ(r.text("description"), "new");
  EXPECT_EQ(r.text("visibility"), "public");
  EXPECT_EQ(r.text("id"), made.text("id"));
  EXPECT_NE(r.text("updated_at"), made.text("updated_at"));
}

TEST_F(SimulatorProjects, TeamOwnsWhereItIsNamed) {
  EXPECT_EQ(create(R"(,"team_name":"data")")["owner"].at("username").as_string(), "data");
}

TEST_F(SimulatorProjects, BadVisibilityIsRefused) {
  EXPECT_EQ(create(R"(,"visibility":"secret")").status, 400);
}

TEST_F(SimulatorProjects, FirstCallsCanBeLost) {
  rules how;
  how.calls_lost_after_creation = 2;
  start(how);
  const auto made = create();
  EXPECT_EQ(get(path_of(made)).how, delivery::close);
  EXPECT_EQ(get(path_of(made)).how, delivery::close);
  EXPECT_EQ(get(path_of(made)).status, 200);
}

TEST_F(SimulatorProjects, DeleteRemovesTheProject) {
  const auto made = create();
  EXPECT_EQ(remove(path_of(made)).status, 200);
  EXPECT_EQ(get(path_of(made)).status, 404);
}

}  // namespace
}  // namespace cmlrec::simulator
