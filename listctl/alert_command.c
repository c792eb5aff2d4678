#include "listctl/alert_command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "listctl/safe_text.h"

#define COMMAND_MOST_US (INT64_C(60) * CLOCK_US_PER_SECOND)

/* A pipe holds at least 64 KiB: what is written into it waits for no reader. */
enum { TEXT_MOST = 16 << 10, LOOK_US = 20000 };

/* In the child: only what is safe between fork and exec. */
static void run(const char *path, int input, char *const environment[])
{
	setpgid(0, 0);
	int nothing = open("/dev/null", O_WRONLY);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (nothing >= 0 && dup2(input, STDIN_FILENO) >= 0 && dup2(nothing, STDOUT_FILENO) >= 0) {
		syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0);
		char *const arguments[] = { (char *)(uintptr_t)path, NULL };
		execve(path, arguments, environment);
	}
	_exit(127);
}

static enum err judge(const char *path, int status, struct buf *why)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return ERR_OK;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		buf_addf(why,
			 "alert.command: %s cannot be run, or ended with 127; it is a program or a script that begins "
			 "with #!, and whoever runs listctl may execute it",
			 path);
	else if (WIFEXITED(status))
		buf_addf(why, "alert.command: %s ended with %d; what it was to tell is told again next time", path,
			 WEXITSTATUS(status));
	else
		buf_addf(why, "alert.command: %s was ended by signal %d; what it was to tell is told again next time",
			 path, WTERMSIG(status));
	return ERR_REFUSED;
}

static enum err await(const char *path, pid_t pid, struct buf *why)
{
	int64_t until_us = clock_boot_us() + COMMAND_MOST_US;
	int status = 0;
	for (;;) {
		pid_t ended = waitpid(pid, &status, WNOHANG);
		if (ended == pid)
			return judge(path, status, why);
		if (ended < 0 && errno != EINTR) {
			buf_addf(why, "alert.command: %s cannot be waited for: %s", path, strerror(errno));
			return ERR_IO;
		}
		if (clock_boot_us() >= until_us)
			break;
		nanosleep(&(struct timespec){ .tv_nsec = LOOK_US * 1000 }, NULL);
	}
	kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	buf_addf(
	    why,
	    "alert.command: %s had not ended after a minute and was killed; what it was to tell is told again next "
	    "time",
	    path);
	return ERR_REFUSED;
}

static enum err start(const char *path, int input, char *const environment[], struct buf *why)
{
	pid_t pid = fork();
	if (pid == 0)
		run(path, input, environment);
	if (pid < 0) {
		buf_addf(why, "alert.command: %s cannot be run: %s", path, strerror(errno));
		return ERR_IO;
	}
	setpgid(pid, pid); /* whoever comes first */
	return await(path, pid, why);
}

/* Both ends are this process's own until all is written, so that nobody is waited for and no SIGPIPE comes. */
static enum err feed(const char *path, struct view text, char *const environment[], struct buf *why)
{
	int ends[2];
	if (pipe(ends) != 0) {
		buf_addf(why, "alert.command: %s cannot be run: %s", path, strerror(errno));
		return ERR_IO;
	}
	ssize_t written = write(ends[1], text.data, text.len);
	close(ends[1]);
	enum err err = ERR_IO;
	if (written == (ssize_t)text.len)
		err = start(path, ends[0], environment, why);
	else
		buf_addf(why, "alert.command: its text cannot be handed over");
	close(ends[0]);
	return err;
}

static void add_variable(struct buf *variable, const char *name, struct view value)
{
	buf_addf(variable, "%s=", name);
	safe_text_add(view_head(value, value.len < LIMIT_WHY / 8 ? value.len : LIMIT_WHY / 8), variable);
}

enum err alert_command_run(const char *path, const struct alert_text *alert, struct buf *why)
{
	AUTO_BUF kind = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF subject = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF text = buf_with_ceiling(TEXT_MOST);
	char search[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	if (path[0] != '/') {
		buf_addf(why, "alert.command is the path of a program from / on, not %s", path);
		return ERR_REFUSED;
	}
	add_variable(&kind, "VERPOST_ALERT_KIND", alert->kind);
	add_variable(&subject, "VERPOST_ALERT_SUBJECT", alert->subject);
	if (safe_text_add(alert->text, &text) != ERR_OK || buf_err(&kind) != ERR_OK || buf_err(&subject) != ERR_OK) {
		buf_addf(why, "alert.command: the text is too long");
		return ERR_MEMORY;
	}
	char *const environment[] = { search, (char *)(uintptr_t)buf_text(&kind), (char *)(uintptr_t)buf_text(&subject),
				      NULL };
	return feed(path, buf_view(&text), environment, why);
}
