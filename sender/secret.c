#include "sender/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"

#define COMMAND_MOST_US (INT64_C(10) * CLOCK_US_PER_SECOND)

struct secret {
	char *path;
	int64_t life_us;
	struct buf text;   /* the secret, or what the command has said so far */
	bool is_known;     /* text is the secret */
	int64_t until_us;  /* it is used until then; or the command is ended then */
	pid_t pid;         /* 0: no command runs */
	int pipe;          /* its output; -1: it has ended */
	bool is_too_large; /* it said more than a secret may have */
	bool is_command;   /* when it was asked last */
};

enum err secret_new(const char *path, int64_t life_us, struct secret **ret_secret)
{
	struct secret *secret = calloc(1, sizeof(*secret));
	if (secret == NULL)
		return ERR_MEMORY;
	*secret = (struct secret){
		.path = strdup(path), .life_us = life_us, .text = buf_with_ceiling(LIMIT_SECRET), .pipe = -1
	};
	if (secret->path == NULL) {
		secret_done(secret);
		return ERR_MEMORY;
	}
	*ret_secret = secret;
	return ERR_OK;
}

/* ---- the command ---- */

static void close_pipe(struct secret *secret)
{
	if (secret->pipe >= 0)
		close(secret->pipe);
	secret->pipe = -1;
}

static void end_command(struct secret *secret)
{
	close_pipe(secret);
	if (secret->pid == 0)
		return;
	/* And what it has started: the shell alone would leave the program behind that it waits for. */
	kill(-secret->pid, SIGKILL);
	kill(secret->pid, SIGKILL);
	while (waitpid(secret->pid, NULL, 0) < 0 && errno == EINTR)
		;
	secret->pid = 0;
}

/* In the child: only what is safe between fork and exec. It ends with the worker, and inherits nothing but its output. */
static void run_command(const char *path, int output)
{
	setpgid(0, 0);
	int nothing = open("/dev/null", O_RDWR);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (nothing >= 0 && dup2(nothing, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0) {
		syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0);
		execl(path, path, (char *)NULL);
	}
	_exit(127);
}

static enum secret_state start_command(struct secret *secret, int64_t now_us, struct buf *why)
{
	int ends[2];
	buf_wipe(&secret->text);
	secret->is_too_large = false;
	if (pipe(ends) != 0) {
		buf_addf(why, "%s cannot be run: %s", secret->path, strerror(errno));
		return SECRET_FAILED;
	}
	fcntl(ends[0], F_SETFD, FD_CLOEXEC);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	pid_t pid = fork();
	if (pid == 0)
		run_command(secret->path, ends[1]);
	close(ends[1]);
	secret->pipe = ends[0];
	if (pid < 0) {
		close_pipe(secret);
		buf_addf(why, "%s cannot be run: %s", secret->path, strerror(errno));
		return SECRET_FAILED;
	}
	setpgid(pid, pid); /* whoever comes first; it fails when the child did and runs its command */
	secret->pid = pid;
	secret->until_us = now_us + COMMAND_MOST_US;
	return SECRET_PENDING;
}

static void read_output(struct secret *secret)
{
	char room[1024];
	ssize_t count;
	while (!secret->is_too_large && (count = read(secret->pipe, room, sizeof(room))) > 0) {
		if (buf_add(&secret->text, view_from(room, (size_t)count)) != ERR_OK)
			secret->is_too_large = true;
	}
	explicit_bzero(room, sizeof(room));
}

/* ---- what it said ---- */

static enum secret_state refuse(struct secret *secret, struct buf *why, const char *cause)
{
	buf_addf(why, "%s %s", secret->path, cause);
	buf_wipe(&secret->text);
	secret->is_known = false;
	return SECRET_FAILED;
}

/* The first line. */
static enum secret_state take_text(struct secret *secret, int64_t now_us, struct view *ret_text, struct buf *why)
{
	struct view text = buf_view(&secret->text);
	size_t end = view_find_byte(text, '\n');
	if (end != VIEW_NONE)
		buf_cut(&secret->text, end);
	if (view_ends(buf_view(&secret->text), VIEW_LIT("\r")))
		buf_cut(&secret->text, secret->text.len - 1);
	if (secret->text.len == 0)
		return refuse(secret, why, "gives an empty first line; it must be the password or the token");
	secret->is_known = true;
	secret->until_us = now_us + secret->life_us;
	*ret_text = buf_view(&secret->text);
	return SECRET_READY;
}

static enum secret_state look_at_command(struct secret *secret, int64_t now_us, struct view *ret_text, struct buf *why)
{
	int status;
	read_output(secret);
	pid_t ended = waitpid(secret->pid, &status, WNOHANG);
	if (ended == 0 && now_us < secret->until_us && !secret->is_too_large)
		return SECRET_PENDING;
	if (ended != secret->pid) {
		bool is_late = !secret->is_too_large;
		end_command(secret);
		return refuse(secret, why,
			      is_late ? "did not end within 10 seconds" : "said more than a token may hold");
	}
	/* What it said last is still in the pipe. */
	read_output(secret);
	secret->pid = 0;
	close_pipe(secret);
	if (secret->is_too_large)
		return refuse(secret, why, "said more than a token may hold");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return refuse(secret, why, "failed: run it by hand as sender's user to see why");
	return take_text(secret, now_us, ret_text, why);
}

/* ---- asking ---- */

static enum secret_state read_file(struct secret *secret, int64_t now_us, struct view *ret_text, struct buf *why)
{
	buf_wipe(&secret->text);
	if (file_read(secret->path, &secret->text, why) != ERR_OK)
		return SECRET_FAILED;
	return take_text(secret, now_us, ret_text, why);
}

enum secret_state secret_ask(struct secret *secret, int64_t now_us, struct view *ret_text, struct buf *why)
{
	struct stat info;
	if (secret->pid != 0)
		return look_at_command(secret, now_us, ret_text, why);
	if (secret->is_known && now_us < secret->until_us) {
		*ret_text = buf_view(&secret->text);
		return SECRET_READY;
	}
	secret->is_known = false;
	if (stat(secret->path, &info) != 0)
		return refuse(secret, why,
			      errno == ENOENT
				  ? "is missing; put the relay's password or token into it, or a command that prints it"
				  : "cannot be reached by sender's user");
	if ((info.st_mode & (S_IROTH | S_IWOTH)) != 0 || (info.st_mode & S_IWGRP) != 0)
		return refuse(secret, why,
			      "may be read by everybody or written by others; take that right away: chmod o=,g-w");
	if (!S_ISREG(info.st_mode))
		return refuse(secret, why, "is no file");
	secret->is_command = (info.st_mode & (S_IXUSR | S_IXGRP)) != 0;
	return secret->is_command ? start_command(secret, now_us, why) : read_file(secret, now_us, ret_text, why);
}

bool secret_stamp(const struct secret *secret, struct buf *out)
{
	struct stat info;
	if (stat(secret->path, &info) != 0)
		return false;
	buf_addf(out, "%llu.%llu.%lld.%09ld.%lld.%09ld", (unsigned long long)info.st_ino,
		 (unsigned long long)info.st_size, (long long)info.st_mtim.tv_sec, info.st_mtim.tv_nsec,
		 (long long)info.st_ctim.tv_sec, info.st_ctim.tv_nsec);
	return true;
}

bool secret_is_command(const struct secret *secret)
{
	return secret->is_command;
}

const char *secret_path(const struct secret *secret)
{
	return secret->path;
}

void secret_forget(struct secret *secret)
{
	secret->is_known = false;
}

void secret_done(struct secret *secret)
{
	if (secret == NULL)
		return;
	end_command(secret);
	buf_wipe(&secret->text);
	free(secret->path);
	free(secret);
}
