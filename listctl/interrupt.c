#include "listctl/interrupt.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

static const int signals[] = { SIGINT, SIGTERM };
enum { SIGNAL_COUNT = sizeof(signals) / sizeof(signals[0]) };

/* The signal flag of this program: a handler has nothing else to go by. */
static const char *volatile said;
static const char *volatile unfinished;

static void on_signal(int number)
{
	static const char start[] = "\r\033[K";
	const char *sentence = said, *path = unfinished;
	if (path != NULL)
		unlink(path);
	if (sentence != NULL) {
		if (isatty(STDERR_FILENO) == 1 && write(STDERR_FILENO, start, sizeof(start) - 1) < 0)
			_exit(128 + number);
		if (write(STDERR_FILENO, sentence, strlen(sentence)) < 0)
			_exit(128 + number);
	}
	_exit(128 + number);
}

static void block(int how)
{
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < SIGNAL_COUNT; i++)
		sigaddset(&set, signals[i]);
	sigprocmask(how, &set, NULL);
}

void interrupt_say(const char *sentence)
{
	struct sigaction action = { .sa_handler = on_signal };
	said = sentence;
	for (size_t i = 0; i < SIGNAL_COUNT; i++) {
		struct sigaction before;
		/* What a shell has told a background job to ignore stays ignored. */
		if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
	block(SIG_UNBLOCK);
}

void interrupt_remove(const char *path)
{
	unfinished = path;
}

void interrupt_wait(void)
{
	block(SIG_BLOCK);
}

void interrupt_end(void)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	said = unfinished = NULL;
	for (size_t i = 0; i < SIGNAL_COUNT; i++) {
		struct sigaction before;
		if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler == on_signal)
			sigaction(signals[i], &action, NULL);
	}
	block(SIG_UNBLOCK);
}
