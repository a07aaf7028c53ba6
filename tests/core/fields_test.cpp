#include "core/fields.hpp"

#include "core/time.hpp"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace cmlrec::core {
namespace {

class CoreFields : public testing::TestWithParam<std::span<const field> (*)()> {
 protected:
  std::span<const field> table() const { return GetParam()(); }
};

INSTANTIATE_TEST_SUITE_P(Tables, CoreFields, testing::Values(&job_fields, &project_fields));

TEST_P(CoreFields, NamesAndAliasesAreUnique) {
  std::set<std::string_view> seen;
  for (const auto& f : table()) {
    EXPECT_TRUE(seen.insert(f.name).second) << f.name;
    for (const auto alias : f.aliases) EXPECT_TRUE(seen.insert(alias).second) << alias;
  }
}

TEST_P(CoreFields, NamesOnTheWireAreUnique) {
  std::set<std::string_view> create;
  std::set<std::string_view> read;
  for (const auto& f : table()) {
    if (!f.create_name.empty()) {
      EXPECT_TRUE(create.insert(f.create_name).second) << f.name;
    }
    if (!f.read_name.empty()) {
      EXPECT_TRUE(read.insert(f.read_name).second) << f.name;
    }
  }
}

TEST_P(CoreFields, EachSaysWhatItIsFor) {
  for (const auto& f : table()) EXPECT_FALSE(f.help.empty()) << f.name;
}

TEST_P(CoreFields, WhatIsOursAloneIsNeverSentOrRead) {
  for (const auto& f : table()) {
    if (f.change != changes::daemon_only) continue;
    EXPECT_TRUE(f.create_name.empty() && f.patch_name.empty() && f.read_name.empty()) << f.name;
    EXPECT_EQ(f.on_create, wire::none) << f.name;
    EXPECT_EQ(f.on_patch, wire::none) << f.name;
  }
}

TEST_P(CoreFields, WhatActsAtCreationIsNeitherPatchedNorCompared) {
  for (const auto& f : table()) {
    if (f.change != changes::at_creation) continue;
    EXPECT_FALSE(f.create_name.empty()) << f.name;
    EXPECT_TRUE(f.patch_name.empty() && f.read_name.empty()) << f.name;
  }
}

TEST_P(CoreFields, WhatIsPatchedCanBeReadBack) {
  for (const auto& f : table()) {
    if (!f.patch_name.empty()) {
      EXPECT_FALSE(f.read_name.empty()) << f.name;
    }
  }
}

TEST_P(CoreFields, BoundsAreInOrder) {
  for (const auto& f : table()) {
    if (f.maximum > 0) {
      EXPECT_LT(f.minimum, f.maximum) << f.name;
    }
    if (f.type == field_type::integer || f.type == field_type::number) {
      EXPECT_GT(f.maximum, 0) << f.name;
    }
  }
}

TEST_P(CoreFields, DefaultDurationsAreReadable) {
  for (const auto& f : table()) {
    if (f.type == field_type::time_span) {
      EXPECT_TRUE(parse_duration(f.default_value)) << f.name;
    }
  }
}

TEST_P(CoreFields, EnvironmentsAreTextInPatchAndObjectInCreate) {
  for (const auto& f : table()) {
    if (f.type != field_type::string_map) continue;
    EXPECT_EQ(f.on_create, wire::plain) << f.name;
    EXPECT_EQ(f.on_patch, wire::object_as_text) << f.name;
    EXPECT_EQ(f.compare, comparison::environment) << f.name;
  }
}

TEST(CoreFieldTable, FindsByNameAndByAlias) {
  const field* gpu = find_field(job_fields(), "gpu");
  ASSERT_NE(gpu, nullptr);
  EXPECT_EQ(gpu->name, "nvidia_gpu");
  EXPECT_EQ(find_field(job_fields(), "nvidia_gpu"), gpu);
  EXPECT_EQ(find_field(job_fields(), "runtime_id")->name, "runtime_identifier");
  EXPECT_EQ(find_field(job_fields(), "parent_job_id")->name, "parent_job_key");
}

TEST(CoreFieldTable, KnowsNoOtherName) {
  EXPECT_EQ(find_field(job_fields(), "Name"), nullptr);
  EXPECT_EQ(find_field(job_fields(), ""), nullptr);
  EXPECT_EQ(find_field(project_fields(), "script"), nullptr);
}

TEST(CoreFieldTable, AddonsAreComparedAsASuperset) {
  EXPECT_EQ(find_field(job_fields(), "runtime_addon_identifiers")->compare, comparison::superset);
}

}  // namespace
}  // namespace cmlrec::core
