#include "sender/entry.h"

#include <signal.h>
#include <sys/select.h>

#include "base/clock.h"
#include "base/log.h"

#define FIRST_WAIT_US (INT64_C(250) * CLOCK_US_PER_MS)
#define LONGEST_WAIT_US (INT64_C(10) * CLOCK_US_PER_SECOND)

/* Those that end sender in order; SIGHUP is a terminal that went away. */
static const int entry_signals[] = { SIGTERM, SIGINT, SIGHUP };

/* The one thing a signal handler touches. */
static volatile sig_atomic_t stop_signal;

static void on_signal(int number)
{
	stop_signal = number;
}

static void set_handlers(void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_LEN(entry_signals); i++)
		sigaction(entry_signals[i], &action, NULL);
}

void entry_begin(void)
{
	stop_signal = 0;
	set_handlers(on_signal);
}

void entry_die_on_signals(void)
{
	set_handlers(SIG_DFL);
	int number = stop_signal;
	if (number != 0)
		raise(number);
}

bool entry_is_stopped(void)
{
	return stop_signal != 0;
}

bool entry_sleep(int64_t us)
{
	/* Blocked but for the sleep itself, so that no signal falls between the question and the sleep. */
	sigset_t watched, before, during;
	sigemptyset(&watched);
	for (size_t i = 0; i < ARRAY_LEN(entry_signals); i++)
		sigaddset(&watched, entry_signals[i]);
	sigprocmask(SIG_BLOCK, &watched, &before);
	during = before;
	for (size_t i = 0; i < ARRAY_LEN(entry_signals); i++)
		sigdelset(&during, entry_signals[i]);
	const struct timespec length = {
		.tv_sec = us / CLOCK_US_PER_SECOND,
		.tv_nsec = us % CLOCK_US_PER_SECOND * 1000,
	};
	if (!entry_is_stopped())
		pselect(0, NULL, NULL, NULL, &length, &during);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return !entry_is_stopped();
}

bool entry_wait(void)
{
	static int64_t wait_us = FIRST_WAIT_US;
	bool goes_on = entry_sleep(wait_us);
	wait_us = wait_us * 2 < LONGEST_WAIT_US ? wait_us * 2 : LONGEST_WAIT_US;
	return goes_on;
}

static struct db_options options_of(const struct setup *setup, int64_t patience_us)
{
	return (struct db_options){
		.conninfo = setup_conninfo(setup),
		.program = "sender",
		.instance = setup->keyring.instance,
		.check_version = true,
		.unsafe = setup->unsafe,
		.patience_us = patience_us,
		.is_stopped = entry_is_stopped,
	};
}

enum err entry_check_database(const struct setup *setup, struct buf *why)
{
	AUTO_BUF cause = buf_with_ceiling(LIMIT_WHY);
	const struct db_options options = options_of(setup, ENTRY_PATIENCE_US);
	struct db *db = NULL;
	enum err err = db_open(&options, &db, &cause);
	db_close(db);
	if (err == ERR_OK || err == ERR_UNAVAILABLE)
		return ERR_OK;
	buf_add(why, buf_view(&cause));
	return err;
}

enum err entry_open_database(const struct setup *setup, int64_t patience_us, struct db **ret_db)
{
	const struct db_options options = options_of(setup, patience_us);
	enum err told = ERR_OK;
	do {
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		struct log_text room;
		enum err err = db_open(&options, ret_db, &why);
		if (err == ERR_OK && told != ERR_OK)
			log_event(LOG_INFO, "database.back", "settled=0");
		if (err == ERR_OK)
			return ERR_OK;
		if (err != told)
			log_event(LOG_ERROR, "database.away", "why=%s", log_quoted(buf_view(&why), &room));
		told = err;
	} while (entry_wait());
	return ERR_REFUSED;
}
