/* bench_sign: signs one message over and over with a new RSA key of 2048 bits, as sender does, on one core.
 *
 *     bench_sign MESSAGE SECONDS
 *
 * Prints {"messages":N,"seconds":S,"rate":R,"octets":SIZE}; seconds of processor time, as `openssl speed` counts them, so that others on the
 * machine do not matter. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/file.h"
#include "base/limits.h"
#include "mail/dkim.h"

enum { STEP = 50 };

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fail(const char *what)
{
	fprintf(stderr, "bench_sign: %s\n", what);
	exit(EXIT_FAILURE);
}

static long sign(struct dkim_signer *signer, struct dkim_key *key, struct view message, double until)
{
	AUTO_BUF out = buf_with_ceiling(LIMIT_MESSAGE);
	long count = 0;
	while (now() < until) {
		for (int i = 0; i < STEP; i++) {
			buf_reset(&out);
			if (dkim_sign(signer, &key, 1, message, VIEW_LIT(""), count + i, &out) != ERR_OK)
				fail("cannot sign");
		}
		count += STEP;
	}
	return count;
}

int main(int argc, char **argv)
{
	AUTO_BUF message = buf_with_ceiling(LIMIT_MESSAGE);
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct dkim_signer *signer = NULL;
	struct dkim_key *key = NULL;
	if (argc != 3)
		fail("usage: bench_sign MESSAGE SECONDS");
	if (file_read(argv[1], &message, &why) != ERR_OK)
		fail(buf_text(&why));
	if (dkim_signer_new(&signer) != ERR_OK ||
	    dkim_key_make(DKIM_RSA, VIEW_LIT("example.org"), VIEW_LIT("bench"), &key) != ERR_OK)
		fail("no key");
	double begun = now();
	long count = sign(signer, key, buf_view(&message), begun + atof(argv[2]));
	double seconds = now() - begun;
	printf("{\"messages\":%ld,\"seconds\":%.3f,\"rate\":%.1f,\"octets\":%zu}\n", count, seconds,
	       (double)count / seconds, message.len);
	dkim_key_done(key);
	dkim_signer_done(signer);
	return EXIT_SUCCESS;
}
