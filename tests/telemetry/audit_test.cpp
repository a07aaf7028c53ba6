#include "telemetry/audit.hpp"

#include "telemetry/fixture.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cmlrec::telemetry {
namespace {

using testing::at;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::kept;
using testing::samples;

class folder {
 public:
  folder() {
    char name[] = "/tmp/cmlrec-audit-XXXXXX";
    path_ = ::mkdtemp(name);
  }
  ~folder() { std::filesystem::remove_all(path_); }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream in(path);
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

reconcile::write_record started() {
  reconcile::write_record w;
  w.at = at("2026-01-02T03:04:05Z");
  w.took = std::chrono::milliseconds{120};
  w.operation = "CreateJobRun";
  w.action = "start_run";
  w.kind = "run";
  w.project = "ray";
  w.project_id = "p-1";
  w.job = "sync";
  w.name = "Git Sync";
  w.object_id = "r-9";
  w.reason = "it has never succeeded";
  w.ok = true;
  w.answer = "started run r-9";
  w.file = "0123456789ab";
  return w;
}

reconcile::write_record lost() {
  auto w = started();
  w.object_id.clear();
  w.ok = false;
  w.answer = "failed to forward request";
  w.error = "server";
  w.http_status = 500;
  w.may_have_happened = true;
  return w;
}

TEST(Audit, ALineOfTheFileSaysWhatWhyAndWhatCameOfIt) {
  EXPECT_EQ(audit_line(started()),
            R"({"ts":"2026-01-02T03:04:05.000Z","operation":"CreateJobRun","action":"start_run",)"
            R"("kind":"run","project":"ray","project_id":"p-1","job":"sync","name":"Git Sync",)"
            R"("id":"r-9","why":"it has never succeeded","result":"done",)"
            R"("answer":"started run r-9","error":null,"status":null,)"
            R"("took_ms":120,"file":"0123456789ab"})");
}

TEST(Audit, AFailureSaysItsKindItsStatusAndWhetherItMayHaveHappened) {
  EXPECT_THAT(audit_line(lost()),
              HasSubstr(R"("result":"uncertain","answer":"failed to forward request",)"
                        R"("error":"server","status":500,)"));
  auto refused = lost();
  refused.may_have_happened = false;
  EXPECT_THAT(audit_line(refused), HasSubstr(R"("result":"failed")"));
}

TEST(Audit, AFailedWriteIsAWarningOfTheLog) {
  kept t;
  t.sut->on_write(lost());
  ASSERT_EQ(t.lines.size(), 1U);
  EXPECT_THAT(t.lines[0], HasSubstr("level=warning event=audit project=ray job=sync"));
  EXPECT_THAT(t.lines[0], HasSubstr("file=0123456789ab kind=run name=\"Git Sync\""));
}

TEST(AuditFile, IsAppendedToAndOnlyItsGroupMayReadIt) {
  const folder dir;
  const auto path = dir.file("audit.log");
  std::ofstream(path) << "before\n";
  std::filesystem::remove(path);
  const auto mask = ::umask(0077);
  kept t;
  t.sut->set_audit_file(path);
  ::umask(mask);
  t.sut->on_write(started());
  t.sut->on_write(lost());
  EXPECT_THAT(lines_of(path), ElementsAre(audit_line(started()), audit_line(lost())));
  struct stat s {};
  ASSERT_EQ(::stat(path.c_str(), &s), 0);
  EXPECT_EQ(s.st_mode & 0777U, 0640U);
}

TEST(AuditFile, IsMadeAnewAfterItsRotationWhenOpenedAgain) {
  const folder dir;
  const auto path = dir.file("audit.log");
  kept t;
  t.sut->set_audit_file(path);
  t.sut->on_write(started());
  std::filesystem::rename(path, path + ".1");
  t.sut->on_write(started());
  EXPECT_EQ(lines_of(path + ".1").size(), 2U);
  t.sut->set_audit_file(path);
  t.sut->on_write(lost());
  EXPECT_THAT(lines_of(path), ElementsAre(audit_line(lost())));
}

TEST(AuditFile, TroubleIsToldOnceAndCountedEachTimeAndTheLogGoesOn) {
  const folder dir;
  const auto path = dir.file("missing/audit.log");
  kept t;
  t.sut->set_audit_file(path);
  t.sut->on_write(started());
  t.sut->on_write(started());
  int told = 0;
  int audited = 0;
  for (const auto& line : t.lines) {
    told += line.find("event=audit.not_written") != std::string::npos ? 1 : 0;
    audited += line.find("event=audit ") != std::string::npos ? 1 : 0;
  }
  EXPECT_EQ(told, 1);
  EXPECT_EQ(audited, 2);
  EXPECT_THAT(samples(t.sut->metrics_text(), "cml_reconciler_audit_failures_total"),
              ElementsAre("cml_reconciler_audit_failures_total 3"));
  std::filesystem::create_directory(dir.file("missing"));
  t.sut->on_write(lost());
  EXPECT_THAT(lines_of(path), ElementsAre(audit_line(lost())));
}

TEST(AuditFile, APipeWithoutAReaderDoesNotHoldAnybodyUp) {
  const folder dir;
  const auto path = dir.file("pipe");
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  audit_file f;
  EXPECT_TRUE(f.open(path));
  EXPECT_TRUE(f.write("x"));
}

}  // namespace
}  // namespace cmlrec::telemetry
