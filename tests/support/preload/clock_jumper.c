/* Preloaded, the wall clock of a program is as many seconds ahead as the file $CLOCK_JUMPER says, from the moment it says so. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long ahead(void)
{
	const char *path = getenv("CLOCK_JUMPER");
	FILE *file = path == NULL ? NULL : fopen(path, "r");
	long seconds = 0;
	if (file == NULL)
		return 0;
	if (fscanf(file, "%ld", &seconds) != 1)
		seconds = 0;
	fclose(file);
	return seconds;
}

int clock_gettime(clockid_t clock, struct timespec *ret_time)
{
	long status = syscall(SYS_clock_gettime, clock, ret_time);
	if (status == 0 && clock == CLOCK_REALTIME)
		ret_time->tv_sec += ahead();
	return (int)status;
}

int gettimeofday(struct timeval *ret_time, void *zone)
{
	struct timespec now;
	(void)zone;
	int status = clock_gettime(CLOCK_REALTIME, &now);
	ret_time->tv_sec = now.tv_sec;
	ret_time->tv_usec = now.tv_nsec / 1000;
	return status;
}

time_t time(time_t *ret_time)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	if (ret_time != NULL)
		*ret_time = now.tv_sec;
	return now.tv_sec;
}
