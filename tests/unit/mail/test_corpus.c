/* Real reports: with VERPOST_CORPUS naming a folder that holds truth.jsonl (a line a message: file, kind_ok, reason_ok, status_ok,
 * recipients) and the messages, the figures below must be reached. Without it there is nothing to test. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "mail/intake.h"
#include "mail/report_json.h"
#include "tests/support/unit.h"

struct score {
	unsigned right, of;
};

struct figures {
	struct score kind, reason, status, recipients;
	unsigned false_hard;      /* would lose a good address */
	unsigned false_positives; /* no bounce taken for one */
};

static bool is_among(const char *word, const json_t *list)
{
	size_t i;
	json_t *item;
	json_array_foreach(list, i, item)
	{
		if (strcmp(word, json_string_value(item)) == 0)
			return true;
	}
	return false;
}

static void count(struct score *score, bool is_right)
{
	score->right += is_right;
	score->of++;
}

static bool names_all(const struct report *report, const json_t *recipients)
{
	size_t i;
	json_t *item;
	if (report_recipient_count(report) != json_array_size(recipients))
		return false;
	json_array_foreach(recipients, i, item)
	{
		bool is_named = false;
		for (size_t j = 0; j < report_recipient_count(report); j++)
			is_named =
			    is_named || view_eq_nocase(report_recipient(report, j), view_of(json_string_value(item)));
		if (!is_named)
			return false;
	}
	return true;
}

static void judge(const json_t *truth, const struct report *report, const json_t *said, struct figures *figures)
{
	const json_t *kinds = json_object_get(truth, "kind_ok");
	const char *kind = json_string_value(json_object_get(said, "kind"));
	const char *true_kind = json_string_value(json_object_get(truth, "kind"));
	bool is_bounce = strncmp(true_kind, "bounce-", 7) == 0, is_delay = strcmp(true_kind, "delay") == 0;
	count(&figures->kind, is_among(kind, kinds));
	figures->false_hard += strcmp(kind, "bounce-hard") == 0 && !is_among("bounce-hard", kinds);
	bool is_mail = json_array_size(kinds) == 1 && is_among("not-bounce", kinds);
	figures->false_positives += is_mail && (strncmp(kind, "bounce-", 7) == 0 || strcmp(kind, "delay") == 0 ||
						strcmp(kind, "complaint") == 0);
	const json_t *reasons = json_object_get(truth, "reason_ok"), *codes = json_object_get(truth, "status_ok");
	const char *reason = json_string_value(json_object_get(said, "reason"));
	if (is_bounce && json_array_size(reasons) > 0 && reason[0] != '\0')
		count(&figures->reason, is_among(reason, reasons));
	if ((is_bounce || is_delay) && json_array_size(codes) > 0)
		count(&figures->status, is_among(json_string_value(json_object_get(said, "status")), codes));
	if ((is_bounce || is_delay) && json_array_size(json_object_get(truth, "recipients")) > 0)
		count(&figures->recipients, names_all(report, json_object_get(truth, "recipients")) ||
						names_all(report, json_object_get(truth, "recipients_alt")));
}

static void judge_line(struct intake *intake, const char *folder, struct view line, struct figures *figures)
{
	AUTO_BUF path = buf_with_ceiling(4096);
	AUTO_BUF raw = buf_with_ceiling(16 << 20);
	AUTO_BUF text = buf_with_ceiling(LIMIT_REPORT);
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	json_t *truth = json_loadb(line.data, line.len, 0, NULL);
	ck_assert_ptr_nonnull(truth);
	buf_addf(&path, "%s/%s", folder, json_string_value(json_object_get(truth, "file")));
	ck_assert_msg(file_read(buf_text(&path), &raw, &why) == ERR_OK, VIEW_FMT, VIEW_ARG(buf_view(&why)));
	struct report *report = NULL;
	ck_assert_int_eq(intake_read(intake, buf_view(&raw), &report), ERR_OK);
	ck_assert_int_eq(report_json(report, VIEW_LIT(""), &text), ERR_OK);
	json_t *said = json_loadb(text.data, text.len, 0, NULL);
	ck_assert_ptr_nonnull(said);
	judge(truth, report, said, figures);
	json_decref(said);
	json_decref(truth);
	report_done(report);
}

static void check_share(const char *what, struct score score, unsigned least_percent)
{
	printf("%s: %u of %u\n", what, score.right, score.of);
	ck_assert_msg(score.right * 100 >= least_percent * score.of, "%s: %u of %u, less than %u %%", what, score.right,
		      score.of, least_percent);
}

START_TEST(figures_are_reached)
	{
		const char *folder = getenv("VERPOST_CORPUS");
		AUTO_BUF path = buf_with_ceiling(4096);
		AUTO_BUF lines = buf_with_ceiling(64 << 20);
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		struct classifier *classifier;
		struct intake *intake;
		struct figures figures = { 0 };
		buf_addf(&path, "%s/truth.jsonl", folder);
		ck_assert_msg(file_read(buf_text(&path), &lines, &why) == ERR_OK, VIEW_FMT, VIEW_ARG(buf_view(&why)));
		ck_assert_int_eq(classifier_new(&classifier), ERR_OK);
		ck_assert_int_eq(intake_new(classifier, &intake), ERR_OK);
		struct view rest = buf_view(&lines), line;
		while (view_cut_line(&rest, &line))
			judge_line(intake, folder, line, &figures);
		intake_done(intake);
		classifier_done(classifier);

		check_share("kind", figures.kind, 92);
		check_share("reason", figures.reason, 85);
		check_share("status", figures.status, 90);
		check_share("recipients", figures.recipients, 90);
		ck_assert_uint_eq(figures.false_hard, 0);
		ck_assert_uint_le(figures.false_positives, 2);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { figures_are_reached };
	bool given = getenv("VERPOST_CORPUS") != NULL;
	if (!given)
		printf("skip corpus: VERPOST_CORPUS is not set\n");
	return suite_of("corpus", tests, given ? ARRAY_LEN(tests) : 0);
}
