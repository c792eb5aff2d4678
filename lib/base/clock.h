/* Time. Pure modules take it as a parameter; only programs read it here. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

enum {
	CLOCK_US_PER_MS = 1000,
	CLOCK_US_PER_SECOND = 1000000,
};
#define CLOCK_US_PER_DAY (INT64_C(86400) * CLOCK_US_PER_SECOND)

/* Wall clock: microseconds since 1970-01-01T00:00:00Z. */
int64_t clock_wall_us(void);
/* CLOCK_BOOTTIME in microseconds: never set back, and goes on while the machine sleeps. For leases and timeouts. */
int64_t clock_boot_us(void);
/* Microseconds of processor time that this process has used. */
int64_t clock_cpu_us(void);
/* Days since 1970-01-01 of a wall clock value, as tokens carry them (mod 65536). */
uint16_t clock_day(int64_t wall_us);

/* The end of the year 9999: databases and texts take no more for granted. */
#define CLOCK_WALL_MOST_US (INT64_C(253402300800) * CLOCK_US_PER_SECOND - 1)
/* A wall clock value so much later (never negative), which is never beyond CLOCK_WALL_MOST_US, however long that is. */
int64_t clock_after(int64_t wall_us, int64_t us);

#endif
