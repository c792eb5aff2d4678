#include "net/pair.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "net/stream_fd.h"

enum err pair_new(int type, int ret_fds[2])
{
	return socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ret_fds) == 0 ? ERR_OK : ERR_IO;
}

enum err pair_stream(struct loop *loop, int fd, struct stream **ret_stream)
{
	const struct endpoint nowhere = { .address.any.sa_family = AF_UNIX };
	if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
		close(fd);
		return ERR_IO;
	}
	return stream_of_fd(loop, fd, &nowhere, ret_stream);
}

/* Room for one descriptor, aligned as the kernel wants it. */
union control {
	struct cmsghdr head;
	char room[CMSG_SPACE(sizeof(int))];
};

enum err pair_send(int fd, struct view packet, int passed)
{
	struct iovec octets = { .iov_base = (void *)(uintptr_t)packet.data, .iov_len = packet.len };
	union control control = { 0 };
	struct msghdr message = { .msg_iov = &octets, .msg_iovlen = 1 };
	if (passed >= 0) {
		message.msg_control = control.room;
		message.msg_controllen = sizeof(control.room);
		control.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(passed)),
						 .cmsg_level = SOL_SOCKET,
						 .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(&control.head), &passed, sizeof(passed));
	}
	return sendmsg(fd, &message, MSG_NOSIGNAL) == (ssize_t)packet.len ? ERR_OK : ERR_IO;
}

static int passed_with(struct msghdr *message)
{
	int passed = -1;
	struct cmsghdr *control = CMSG_FIRSTHDR(message);
	if (control != NULL && control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_RIGHTS &&
	    control->cmsg_len == CMSG_LEN(sizeof(passed)))
		memcpy(&passed, CMSG_DATA(control), sizeof(passed));
	return passed;
}

enum err pair_receive(int fd, void *room, size_t size, size_t *ret_len, int *ret_passed)
{
	struct iovec octets = { .iov_base = room, .iov_len = size };
	union control control = { 0 };
	struct msghdr message = {
		.msg_iov = &octets, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof(control.room)
	};
	ssize_t count;
	do {
		count = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
	} while (count < 0 && errno == EINTR);
	if (count <= 0)
		return count == 0 ? ERR_NOT_FOUND : ERR_IO;
	*ret_passed = passed_with(&message);
	*ret_len = (size_t)count;
	return ERR_OK;
}
