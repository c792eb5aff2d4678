#include "base/clock.h"

#include <stdbool.h>
#include <time.h>

static int64_t read_us(clockid_t clock)
{
	struct timespec now = { 0 };
	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * CLOCK_US_PER_SECOND + now.tv_nsec / 1000;
}

int64_t clock_wall_us(void)
{
	return read_us(CLOCK_REALTIME);
}

int64_t clock_boot_us(void)
{
	return read_us(CLOCK_BOOTTIME);
}

int64_t clock_cpu_us(void)
{
	return read_us(CLOCK_PROCESS_CPUTIME_ID);
}

uint16_t clock_day(int64_t wall_us)
{
	return (uint16_t)((uint64_t)(wall_us / CLOCK_US_PER_DAY) & 0xffff);
}

int64_t clock_after(int64_t wall_us, int64_t us)
{
	int64_t sum_us;
	bool fits = !__builtin_add_overflow(wall_us, us, &sum_us);
	return fits && sum_us < CLOCK_WALL_MOST_US ? sum_us : CLOCK_WALL_MOST_US;
}
