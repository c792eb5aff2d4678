#include "mail/reason.h"

#include "tests/support/unit.h"

START_TEST(every_kind_has_a_name_of_its_own)
	{
		for (unsigned i = 0; i < KIND_COUNT; i++) {
			enum bounce_kind kind = KIND_COUNT;
			const char *name = kind_name((enum bounce_kind)i);
			ck_assert_ptr_nonnull(name);
			ck_row(name, kind_from_name(view_of(name), &kind) && kind == i);
		}
		enum bounce_kind kind = KIND_COUNT;
		ck_assert(!kind_from_name(view_of("bounce"), &kind) && kind == KIND_COUNT);
	}
END_TEST

START_TEST(every_reason_has_a_name_of_its_own_and_an_explanation)
	{
		for (unsigned i = 0; i < REASON_COUNT; i++) {
			enum bounce_reason reason = REASON_COUNT;
			const char *name = reason_name((enum bounce_reason)i);
			ck_assert_ptr_nonnull(name);
			ck_row(name, reason_from_name(view_of(name), &reason) && reason == i);
			ck_row(name, reason_explained((enum bounce_reason)i) != NULL);
		}
		enum bounce_reason reason = REASON_COUNT;
		ck_assert(!reason_from_name(view_of("Other"), &reason) && reason == REASON_COUNT);
	}
END_TEST

/* DESIGN, guarantee 5: our own trouble is never the subscriber's fault. */
START_TEST(what_is_about_us_counts_nowhere)
	{
		static const enum bounce_reason about_us[] = { REASON_SPAM_CONTENT,  REASON_SENDER_BLOCKED,
							       REASON_AUTH_FAILURE,  REASON_SENDER_REJECTED,
							       REASON_RATE_LIMITED,  REASON_MESSAGE_TOO_BIG,
							       REASON_PROTOCOL_ERROR };
		static const enum bounce_reason counting[] = { REASON_USER_UNKNOWN,     REASON_DOMAIN_UNKNOWN,
							       REASON_NULL_MX,          REASON_MOVED,
							       REASON_MAILBOX_DISABLED, REASON_MAILBOX_FULL };
		size_t about_us_count = 0, counting_count = 0;
		for (unsigned i = 0; i < REASON_COUNT; i++) {
			about_us_count += reason_is_about_us((enum bounce_reason)i);
			counting_count += reason_counts_from_relay((enum bounce_reason)i);
		}
		ck_assert_uint_eq(about_us_count, ARRAY_LEN(about_us));
		ck_assert_uint_eq(counting_count, ARRAY_LEN(counting));
		for (size_t i = 0; i < ARRAY_LEN(about_us); i++)
			ck_row(reason_name(about_us[i]), reason_is_about_us(about_us[i]));
		for (size_t i = 0; i < ARRAY_LEN(counting); i++)
			ck_row(reason_name(counting[i]), reason_counts_from_relay(counting[i]));
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { every_kind_has_a_name_of_its_own,
				       every_reason_has_a_name_of_its_own_and_an_explanation,
				       what_is_about_us_counts_nowhere };
	return suite_of("reason", tests, ARRAY_LEN(tests));
}
