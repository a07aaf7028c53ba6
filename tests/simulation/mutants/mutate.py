#!/usr/bin/env python3
"""Writes copies of our sources into which deliberate wrongs have been put, each behind a switch, for
the test build alone: the product has no such switch.

    mutate.py SOURCE_DIR OUTPUT_DIR

A wrong is (name, file, the text as it is, the text with the wrong). The text must be in the file just
once, however its lines are broken: when the source changes, the table here has to follow, and the
build says so.
"""
import pathlib
import re
import sys

MUTANTS = [
    ("repeat_a_post_after_a_5xx", "plan/memory.cpp",
     "if (creates && !why.may_have_happened) forget_post",
     "if (creates && (!why.may_have_happened || MUTANT)) forget_post"),
    ("believe_absence_at_once", "plan/planner.cpp",
     "if (sent && seen.pass_began < certain_from(*sent)) {",
     "if (!MUTANT && sent && seen.pass_began < certain_from(*sent)) {"),
    ("believe_absence_after_a_restart", "plan/planner.cpp",
     "if (memory.life_began && seen.pass_began < certain_from(*memory.life_began)) {",
     "if (!MUTANT && memory.life_began && seen.pass_began < certain_from(*memory.life_began)) {"),
    ("take_a_failed_list_for_an_empty_one", "reconcile/executor.cpp",
     "if (!jobs) co_return jobs.error();",
     "if (!jobs && MUTANT) jobs = std::vector<cml::job>{};\n  if (!jobs) co_return jobs.error();"),
    ("take_failed_runs_for_none", "reconcile/executor.cpp",
     "    if (!page) {\n      if (!failure) failure = page.error();",
     "    if (!page && MUTANT) page = cml::runs_page{};\n"
     "    if (!page) {\n      if (!failure) failure = page.error();"),
    ("trust_the_search_filter", "plan/project.cpp",
     "p.name == wanted.name && owner_matches(wanted, p)",
     "(MUTANT || p.name == wanted.name) && owner_matches(wanted, p)"),
    ("take_skipped_for_failed", "plan/freshness.cpp",
     "  return run.state == cml::run_state::failed ||",
     "  return (MUTANT && run.state == cml::run_state::skipped) ||\n"
     "         run.state == cml::run_state::failed ||"),
    ("take_skipped_for_failed", "plan/freshness.cpp",
     "if (run.state == cml::run_state::skipped) continue;",
     "if (run.state == cml::run_state::skipped && !MUTANT) continue;"),
    ("take_unknown_for_finished", "plan/freshness.cpp",
     "    if (!cml::is_finished(run.state)) {",
     "    if (!cml::is_finished(run.state) &&\n"
     "        !(MUTANT && run.state == cml::run_state::unknown)) {"),
    ("take_scheduling_for_finished", "plan/freshness.cpp",
     "    if (!cml::is_finished(run.state) &&\n",
     "    if (!(MUTANT && run.state == cml::run_state::scheduling) &&\n"
     "        !cml::is_finished(run.state) &&\n"),
    ("forget_page_two", "cml/paging.hpp",
     "  } while (!all.token.empty());\n  co_return std::move(all.items);",
     "  } while (!all.token.empty() && !MUTANT);\n  co_return std::move(all.items);"),
    ("take_a_repeated_token_for_the_end", "cml/paging.hpp",
     "    if (!token.empty() && !tokens_.insert(token).second)\n",
     "    if (MUTANT && tokens_.contains(token)) token.clear();\n"
     "    if (!token.empty() && !tokens_.insert(token).second)\n"),
    ("trust_the_order_of_a_few_runs", "cml/paging.hpp",
     "const bool plenty = all.items.size() >= fewest_runs && sorted &&",
     "const bool plenty = MUTANT || (all.items.size() >= fewest_runs && sorted &&"),
    ("trust_the_order_of_a_few_runs", "cml/paging.hpp",
     "shortest_history < *all.items.front().created_at;",
     "shortest_history < *all.items.front().created_at);"),
    ("patch_for_ever_what_is_ignored", "plan/definitions.cpp",
     "if (is_rejected(*job.memory, d)) {",
     "if (!MUTANT && is_rejected(*job.memory, d)) {"),
    ("trigger_the_child_without_grace", "plan/runs.cpp",
     "if (since >= w.rules.child_start_grace)",
     "if (MUTANT) return false;\n  if (since >= w.rules.child_start_grace)"),
    ("believe_a_list_from_before_the_grace", "plan/runs.cpp",
     "if (time_since(job.history->began, *run.finished_at, run, known) >= wait) return false;",
     "if (MUTANT || time_since(job.history->began, *run.finished_at, run, known) >= wait)\n"
     "    return false;"),
    ("start_the_child_before_its_parent", "plan/runs.cpp",
     "    if (!above->up_to_date) {",
     "    if (!above->up_to_date && !MUTANT) {"),
    ("never_notice_a_newer_parent", "plan/freshness.cpp",
     "if (asked.parent_success && began(run)",
     "if (!MUTANT && asked.parent_success && began(run)"),
    ("retry_for_ever", "plan/runs.cpp",
     "if (attempts >= job.spec->retry.max_attempts) {",
     "if (attempts >= job.spec->retry.max_attempts && !MUTANT) {"),
    ("restart_what_a_person_has_stopped", "plan/runs.cpp",
     "  if (facts.stopped) {",
     "  if (facts.stopped && !MUTANT) {"),
    ("leave_out_the_run_guard", "plan/runs.cpp",
     "if (job.facts.starts_last_hour >= w.rules.max_runs_per_hour) {",
     "if (job.facts.starts_last_hour >= w.rules.max_runs_per_hour && !MUTANT) {"),
    ("force_for_ever", "plan/freshness.cpp",
     "if (asked.forced_at && began(run) < *asked.forced_at)",
     "if (asked.forced_at && (MUTANT || began(run) < *asked.forced_at))"),
    ("rerun_before_its_time", "plan/runs.cpp",
     "if (job.spec->rerun_after && *job.spec->rerun_after <= w.now.cml)",
     "if (job.spec->rerun_after && (MUTANT || *job.spec->rerun_after <= w.now.cml))"),
    ("delete_without_the_mark", "plan/definitions.cpp",
     "if (map == nullptr || !map->contains(owner_mark)) continue;",
     "if (!MUTANT && (map == nullptr || !map->contains(owner_mark))) continue;"),
    ("delete_without_a_limit", "plan/definitions.cpp",
     "    if (left == 0) {",
     "    if (left == 0 && !MUTANT) {"),
    ("take_the_first_of_two", "plan/definitions.cpp",
     "    if (matches.size() > 1) {",
     "    if (matches.size() > 1 && !MUTANT) {"),
    ("touch_what_is_suspended", "plan/definitions.cpp",
     "if (const auto why = w.held(job); !why.empty()) {",
     "if (const auto why = w.held(job); !why.empty() && !MUTANT) {"),
    ("drop_what_others_have_set", "plan/diff.cpp",
     "if (wanted == nullptr || policy == config::environment_policy::merge) {",
     "if (wanted == nullptr || (policy == config::environment_policy::merge && !MUTANT)) {"),
    ("show_a_secret", "plan/definitions.cpp",
     "                d.shown.desired;\n    a.replaced",
     "                (MUTANT ? d.desired : d.shown.desired);\n    a.replaced"),
    ("go_by_a_file_of_the_past", "reconcile/reconciler.cpp",
     "return !w.removed && w.wanted == wanted &&",
     "return (MUTANT || (!w.removed && w.wanted == wanted)) &&"),
    ("go_on_with_what_is_suspended", "reconcile/reconciler.cpp",
     "&& w.times_held == held;",
     "&& (MUTANT || w.times_held == held);"),
    ("forget_the_journal_of_suspensions", "reconcile/journal.cpp",
     "  m.suspended = saved.suspended;",
     "  if (!MUTANT) m.suspended = saved.suspended;"),
    ("forget_the_journal_of_forces", "reconcile/journal.cpp",
     "  m.force_at = saved.force_at;",
     "  if (!MUTANT) m.force_at = saved.force_at;"),
    ("forget_the_journal_of_starts", "reconcile/journal.cpp",
     "if (job.start_sent) j.start_sent = now;",
     "if (job.start_sent && !MUTANT) j.start_sent = now;"),
    ("forget_the_journal_of_creations", "reconcile/journal.cpp",
     "if (job.create_sent) j.create_sent = now;",
     "if (job.create_sent && !MUTANT) j.create_sent = now;"),
    ("stop_before_it_is_overdue", "plan/runs.cpp",
     "if (!limit || running_for <= *limit + w.rules.overdue_margin) return;",
     "if (!limit || running_for <= (MUTANT ? *limit : *limit + w.rules.overdue_margin)) return;"),
]


def main():
    source, output = (pathlib.Path(p) for p in sys.argv[1:3])
    names = list(dict.fromkeys(m[0] for m in MUTANTS))
    texts = {}
    for name, file, right, wrong in MUTANTS:
        text = texts.get(file) or (source / "lib" / file).read_text()
        pattern = r"\s+".join(re.escape(word) for word in right.split())
        found = re.findall(pattern, text)
        if len(found) != 1:
            sys.exit(f"mutate.py: the wrong '{name}' does not fit: its text is {len(found)} times in "
                     f"lib/{file}; mend the table in mutants/mutate.py")
        put = wrong.replace("MUTANT", f"::mutants::on({names.index(name)})")
        texts[file] = text.replace(found[0], put)
    for file, text in texts.items():
        write(output / file, '#include "mutants.hpp"\n' + text)
    listed = ",\n".join(f'    "{n}"' for n in names)
    write(output / "mutants.hpp", f"""#pragma once
namespace mutants {{
inline constexpr const char* names[] = {{
{listed}}};
inline int active = -1;
inline bool on(int which) {{ return which == active; }}
}}  // namespace mutants
""")


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


main()
