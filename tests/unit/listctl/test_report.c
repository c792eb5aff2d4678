#include "listctl/report.h"

#include <string.h>

#include "tests/support/unit.h"

static bool is_drawn(const struct output_column *column)
{
	return column->type == OUTPUT_INT || column->type == OUTPUT_REAL;
}

/* The first fact is the instant, which has no section. */
START_TEST(every_section_is_whole)
	{
		for (enum report_fact fact = FACT_SNAPSHOT + 1; fact < FACT_COUNT; fact++) {
			const struct report_section *section = report_section_of(fact);
			ck_assert_msg(section->name != NULL, "fact %d", (int)fact);
			ck_row(section->name, strlen(section->title) > 3 && strlen(section->about) > 20);
			ck_row(section->name, section->about[strlen(section->about) - 1] == '.');
			ck_row(section->name, strpbrk(section->title, "<>&\"'") == NULL); /* it is written as it is */
			ck_row(section->name, strpbrk(section->about, "<>&\"") == NULL);
			ck_row(section->name, section->count > 0 && section->columns[section->count - 1].name != NULL);
			const struct chart_plan *chart = &section->chart;
			ck_row(section->name,
			       chart->label < section->count && chart->first + chart->count <= section->count);
			ck_row(section->name, chart->count <= CHART_SERIES_MOST);
			ck_row(section->name,
			       chart->up <= chart->count && (chart->up == 0 || chart->kind == CHART_COLUMNS));
			ck_row(section->name, chart->weight == 0 || is_drawn(&section->columns[chart->weight - 1]));
			ck_row(section->name, (chart->kind == CHART_NONE) == (chart->count == 0));
			for (size_t i = 0; i < chart->count; i++)
				ck_row(section->name, is_drawn(&section->columns[chart->first + i]));
			for (enum report_fact other = FACT_SNAPSHOT + 1; other < fact; other++)
				ck_row(section->name, strcmp(report_section_of(other)->name, section->name) != 0);
		}
	}
END_TEST

START_TEST(every_share_says_so)
	{
		for (enum report_fact fact = FACT_SNAPSHOT + 1; fact < FACT_COUNT; fact++) {
			const struct report_section *section = report_section_of(fact);
			for (size_t i = 0; i < section->count; i++) {
				struct view name = view_of(section->columns[i].name);
				bool is_share = view_ends(name, VIEW_LIT("_percent"));
				ck_row(section->name, !is_share || section->columns[i].type == OUTPUT_REAL);
				ck_row(section->name, strspn(name.data, "abcdefghijklmnopqrstuvwxyz_") == name.len);
			}
			for (size_t i = 0; i < section->chart.count; i++) {
				struct view name = view_of(section->columns[section->chart.first + i].name);
				ck_row(section->name, section->chart.is_share == view_ends(name, VIEW_LIT("_percent")));
			}
		}
	}
END_TEST

START_TEST(every_fact_is_told_somewhere)
	{
		bool told[FACT_COUNT] = { [FACT_SNAPSHOT] = true };
		for (size_t kind = 0; kind < REPORT_KIND_COUNT; kind++) {
			const struct report_plan *plan = &report_plans[kind];
			ck_assert(plan->title != NULL && plan->count > 0 && plan->count <= REPORT_SECTIONS_MOST);
			for (size_t i = 0; i < plan->count; i++)
				told[plan->facts[i]] = true;
			for (size_t i = plan->count; i < REPORT_SECTIONS_MOST; i++)
				ck_assert_msg(plan->facts[i] == 0, "%s: more facts than its count", plan->title);
		}
		for (size_t fact = 0; fact < FACT_COUNT; fact++)
			ck_assert_msg(told[fact], "fact %zu", fact);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { every_section_is_whole, every_share_says_so, every_fact_is_told_somewhere };
	return suite_of("report", tests, ARRAY_LEN(tests));
}
