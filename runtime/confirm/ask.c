/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ask.c - the side of those who ask the waiting process; see confirm.h. */
#include "runtime/confirm/confirm.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "runtime/confirm/wire.h"
#include "runtime/local.h"
#include "runtime/store/folder.h"

#define PATIENCE 600000 /* ms: until what was decided is done; taking back a million prefixes takes minutes */
#define GLANCE 500 /* ms: for an answer that needs no work */

/* Asks, and waits for the answer at most `patience` ms. -ECONNREFUSED: nobody listens. -EPERM: one who is not to be
 * trusted does. */
static int talk(struct rt_confirm_message *message, struct ucred *peer, int patience)
{
	rt_auto_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	const struct timeval limit = { .tv_usec = GLANCE * 1000L };
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	ssize_t len;
	int rc;

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)); /* of connecting, too */
	rc = rt_local_connect(fd, RT_CONFIRM_SOCKET);
	if (rc)
		return rc;
	if (!rt_local_peer(fd, peer) || !rt_local_trusted(peer))
		return -EPERM;
	message->form = RT_CONFIRM_WIRE;
	if (send(fd, message, sizeof(*message), MSG_NOSIGNAL) < 0)
		return -errno;
	rc = poll(&poll_fd, 1, patience);
	if (rc <= 0)
		return rc ? -errno : -ETIMEDOUT;
	len = recv(fd, message, sizeof(*message), MSG_DONTWAIT);
	if (len < 0)
		return -errno;
	if (!len)
		return -ECONNRESET;
	return len == sizeof(*message) && message->form == RT_CONFIRM_WIRE ? 0 : -EPROTO;
}

bool rt_confirm_waits(int *pid, unsigned int *revision)
{
	struct rt_confirm_message message = { .kind = RT_WIRE_WHO };
	struct ucred peer;

	if (talk(&message, &peer, GLANCE) || message.kind != RT_WIRE_WAITS)
		return false;
	*pid = (int)peer.pid;
	*revision = message.revision;
	return true;
}

static enum rt_answer answer_of(uint32_t kind)
{
	switch (kind) {
	case RT_WIRE_KEPT:
		return RT_ANSWER_CONFIRMED;
	case RT_WIRE_REVERTED:
		return RT_ANSWER_REVERTED;
	case RT_WIRE_OTHER:
		return RT_ANSWER_OTHER;
	case RT_WIRE_REFUSED:
		return RT_ANSWER_REFUSED;
	default:
		return RT_ANSWER_BROKEN;
	}
}

int rt_confirm_ask(struct rt_session *session, bool keep, unsigned int revision, enum rt_answer *answer,
		   unsigned int *number)
{
	struct rt_confirm_message message = { .kind = keep ? RT_WIRE_KEEP : RT_WIRE_BACK, .revision = revision };
	struct ucred peer = { 0 };
	int rc = talk(&message, &peer, PATIENCE);

	*answer = RT_ANSWER_NONE;
	*number = 0;
	if (rc == -ECONNREFUSED)
		return 0;
	if (rc == -EPERM)
		cni_diag(session->diags, CNI703, (struct cni_span){ 0 },
			 "process %d of user %u has taken the name of what awaits a confirmation", (int)peer.pid,
			 (unsigned int)peer.uid);
	else if (rc)
		cni_diag(session->diags, CNI703, (struct cni_span){ 0 },
			 "what became of the change was not told (%s); `cnic status` and `cnic history` show it",
			 strerror(-rc));
	if (rc)
		return rc;
	*answer = answer_of(message.kind);
	*number = message.revision;
	return 0;
}
