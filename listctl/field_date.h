/* Dates as spreadsheets and exports write them. Pure. */
#ifndef LISTCTL_FIELD_DATE_H
#define LISTCTL_FIELD_DATE_H

#include <stdint.h>

#include "base/buf.h"

/* Which of 03/04/2025 is the day; nobody has said it, or there is no option to say it: only a number above 12 tells. */
enum date_order { DATE_ORDER_UNKNOWN, DATE_ORDER_DAY_FIRST, DATE_ORDER_MONTH_FIRST, DATE_ORDER_UNSAYABLE };
bool date_order_from_name(struct view name, enum date_order *ret_order) MUST_USE;

struct field_date {
	int year, month, day;
	bool has_time;
	int hour, minute, second;
	struct view fraction; /* digits behind the second */
	bool has_zone;
	int zone_minutes; /* east of Greenwich */
};

/* 2025-03-04, 2025/03/04, 20250304, 4.3.2025, 4 March 2025, Mar 4, 2025, and 4/3/2025 or 4-3-2025 where the order is known; perhaps with a time
 * (10:20, 10:20:30.5, 10:20 PM) behind a blank or T, and with Z, UTC or +07:00. False: `why` says what is wrong. */
bool field_date_read(struct view text, enum date_order order, struct field_date *ret_date, struct buf *why) MUST_USE;
/* ISO 8601: 2025-03-04, 2025-03-04T10:20:30.5+07:00. */
void field_date_write(const struct field_date *date, struct buf *out);
/* Microseconds since 1970; a date without a time is its midnight, one without a zone is UTC. */
int64_t field_date_us(const struct field_date *date);

#endif
