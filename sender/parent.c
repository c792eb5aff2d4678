#include "sender/parent.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "sender/backoff.h"
#include "sender/coordinator.h"
#include "sender/entry.h"
#include "sender/prober.h"
#include "sender/worker.h"

#define FIRST_WAIT_US (INT64_C(500) * CLOCK_US_PER_MS)
#define LONGEST_WAIT_US (INT64_C(30) * CLOCK_US_PER_SECOND)
/* A process that lived for so long had begun well: the next one need not wait longer. */
#define WELL_BEGUN_US (INT64_C(60) * CLOCK_US_PER_SECOND)
#define LOOK_US (INT64_C(100) * CLOCK_US_PER_MS)
/* Beyond sender.stop_timeout: for the last words to the database. */
#define GRACE_US (INT64_C(10) * CLOCK_US_PER_SECOND)

struct child {
	pid_t pid; /* 0: not running */
	int64_t started_us;
	struct backoff backoff;
};

/* Those of whom there is one: they stand after the workers. */
static const struct single {
	const char *name;
	int (*run)(const struct setup *setup);
} singles[] = {
	{ "sender-coord", coordinator_run },
	{ "sender-prober", prober_run },
};

struct family {
	const struct setup *setup;
	struct child *children;
	size_t count;
};

static int run_child(const struct family *family, size_t index)
{
	size_t workers = family->setup->workers;
	prctl(PR_SET_NAME, index < workers ? "sender-worker" : singles[index - workers].name);
	entry_begin();
	return index < workers ? worker_run(family->setup, (unsigned)index)
			       : singles[index - workers].run(family->setup);
}

static void start(struct family *family, size_t index)
{
	struct child *child = &family->children[index];
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid == 0) {
		/* Children end when their parent dies, and also when it died before this line. */
		if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent)
			_exit(EXIT_FAILURE);
		exit(run_child(family, index));
	}
	if (pid < 0) {
		log_event(LOG_ERROR, "child.failed", "index=%zu errno=%d", index, errno);
		backoff_fail(&child->backoff, clock_boot_us());
		return;
	}
	child->pid = pid;
	child->started_us = clock_boot_us();
}

static struct child *find(struct family *family, pid_t pid)
{
	for (size_t i = 0; i < family->count; i++) {
		if (family->children[i].pid == pid)
			return &family->children[i];
	}
	return NULL;
}

static void reap(struct family *family, bool is_stopping)
{
	int status;
	pid_t pid;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct child *child = find(family, pid);
		if (child == NULL)
			continue;
		child->pid = 0;
		if (is_stopping)
			continue;
		int64_t now_us = clock_boot_us();
		if (now_us - child->started_us > WELL_BEGUN_US)
			backoff_clear(&child->backoff);
		backoff_fail(&child->backoff, now_us);
		log_event(LOG_ERROR, "child.died", "pid=%d %s=%d restart_in_ms=%lld", (int)pid,
			  WIFSIGNALED(status) ? "signal" : "status",
			  WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
			  (long long)(child->backoff.wait_us / CLOCK_US_PER_MS));
	}
}

static void start_missing(struct family *family)
{
	for (size_t i = 0; i < family->count; i++) {
		if (family->children[i].pid == 0 && !backoff_waits(&family->children[i].backoff, clock_boot_us()))
			start(family, i);
	}
}

static bool any_lives(const struct family *family)
{
	for (size_t i = 0; i < family->count; i++) {
		if (family->children[i].pid != 0)
			return true;
	}
	return false;
}

static void tell_all(const struct family *family, int number)
{
	for (size_t i = 0; i < family->count; i++) {
		if (family->children[i].pid != 0)
			kill(family->children[i].pid, number);
	}
}

/* False when some had to be killed. */
static bool stop_all(struct family *family)
{
	int64_t end_us = clock_boot_us() + family->setup->settings.sender_stop_timeout + GRACE_US;
	tell_all(family, SIGTERM);
	for (;;) {
		reap(family, true);
		if (!any_lives(family))
			return true;
		if (clock_boot_us() >= end_us)
			break;
		const struct timespec moment = { .tv_nsec = LOOK_US / 4 * 1000 };
		nanosleep(&moment, NULL);
	}
	log_event(LOG_ERROR, "sender.killed",
		  "why=\"workers did not end in time; their journals keep what they knew\"");
	tell_all(family, SIGKILL);
	return false;
}

int parent_run(const struct setup *setup)
{
	struct family family = { .setup = setup, .count = (size_t)setup->workers + ARRAY_LEN(singles) };
	family.children = calloc(family.count, sizeof(*family.children));
	if (family.children == NULL) {
		log_event(LOG_ERROR, "sender.failed", "error=no-memory");
		return EXIT_FAILURE;
	}
	for (size_t i = 0; i < family.count; i++)
		family.children[i].backoff = backoff_new(FIRST_WAIT_US, LONGEST_WAIT_US);
	entry_begin();
	log_event(LOG_INFO, "sender.started", "workers=%u relay=%s", setup->workers, setup->relay);
	do {
		reap(&family, false);
		start_missing(&family);
	} while (entry_sleep(LOOK_US));
	bool is_clean = stop_all(&family);
	log_event(LOG_INFO, "sender.stopped", "clean=%s", is_clean ? "yes" : "no");
	free(family.children);
	return is_clean ? EXIT_SUCCESS : EXIT_FAILURE;
}
