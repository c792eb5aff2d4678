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

#endif
