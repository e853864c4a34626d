/* SPDX-License-Identifier: GPL-2.0-or-later */
/* netlink.c - sending, and reading what comes back; see netlink.h. */
#include "runtime/netlink/netlink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>

#include "compiler/state.h"

struct rt_netlink *rt_netlink_new(struct rt_transport *transport)
{
	struct rt_netlink *nl = calloc(1, sizeof(*nl));

	if (!nl)
		transport->close(transport);
	else
		nl->transport = transport;
	return nl;
}

static int open_over(int (*open_transport)(struct rt_transport **transport), struct rt_netlink **nl,
		     struct cni_diags *diags)
{
	struct rt_transport *transport;
	int rc = open_transport(&transport);

	if (!rc) {
		*nl = rt_netlink_new(transport);
		rc = *nl ? 0 : -ENOMEM;
	}
	if (rc == -EPROTONOSUPPORT) {
		struct cni_diag *diag =
			cni_diag(diags, CNI701, (struct cni_span){ 0 }, "this kernel has no netfilter over netlink");

		cni_diag_help(diags, diag,
			      "nf_tables (CONFIG_NF_TABLES, CONFIG_NF_TABLES_INET) is needed; "
			      "Debian has it in linux-image-amd64");
	} else if (rc) {
		cni_diag(diags, CNI703, (struct cni_span){ 0 }, "cannot talk to the kernel over netlink: %s",
			 strerror(-rc));
	}
	return rc;
}

int rt_netlink_open(struct rt_netlink **nl, struct cni_diags *diags)
{
	return open_over(rt_socket_open, nl, diags);
}

int rt_netlink_open_silent(struct rt_netlink **nl, struct cni_diags *diags)
{
	return open_over(rt_socket_open_silent, nl, diags);
}

void rt_netlink_free(struct rt_netlink *nl)
{
	if (!nl)
		return;
	nl->transport->close(nl->transport);
	free(nl->devices);
	free(nl);
}

/* ---- batches ---- */

void rt_batch_free(struct rt_batch *batch)
{
	free(batch->data);
	free(batch->tags);
	*batch = (struct rt_batch){ 0 };
}

static void end_message(struct rt_batch *batch)
{
	if (batch->open)
		batch->len += MNL_ALIGN(((struct nlmsghdr *)(batch->data + batch->len))->nlmsg_len);
	batch->open = false;
}

/* As in the arena, the first small piece of memory is taken for granted; that of a large batch is not. */
static void reserve(struct rt_batch *batch)
{
	if (batch->room - batch->len < RT_MESSAGE_ROOM) {
		size_t room = batch->room ? batch->room * 2 : 2 * RT_MESSAGE_ROOM;
		unsigned char *data = realloc(batch->data, room);

		if (!data && !batch->data)
			abort();
		if (data) {
			memset(data + batch->room, 0, room - batch->room); /* libmnl 1.0.4 leaves padding as it is */
			batch->data = data;
			batch->room = room;
		} else {
			batch->error = -ENOMEM;
			batch->len = batch->n = 0;
		}
	}
	if ((batch->n & (batch->n - 1)) == 0) {
		size_t *tags = realloc(batch->tags, (batch->n ? batch->n * 2 : 1) * sizeof(*tags));

		if (!tags && !batch->tags)
			abort();
		if (tags) {
			batch->tags = tags;
		} else {
			batch->error = -ENOMEM;
			batch->len = batch->n = 0;
		}
	}
}

struct nlmsghdr *rt_batch_add(struct rt_batch *batch, size_t tag, uint16_t type, uint16_t flags, size_t header)
{
	struct nlmsghdr *message;

	end_message(batch);
	reserve(batch);
	message = mnl_nlmsg_put_header(batch->data + batch->len);
	message->nlmsg_type = type;
	message->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	mnl_nlmsg_put_extra_header(message, header);
	batch->tags[batch->n++] = tag;
	batch->open = true;
	return message;
}

/* ---- answers ---- */

static bool is_frame(enum rt_bus bus, const struct nlmsghdr *message)
{
	return bus == RT_NETFILTER &&
	       (message->nlmsg_type == NFNL_MSG_BATCH_BEGIN || message->nlmsg_type == NFNL_MSG_BATCH_END);
}

/* Numbers the messages, asks for the ack of the last that can have one, and returns its sequence number. */
static uint32_t number(struct rt_netlink *nl, enum rt_bus bus, struct rt_batch *batch)
{
	struct nlmsghdr *last = NULL;

	for (size_t at = 0; at < batch->len;) {
		struct nlmsghdr *message = (struct nlmsghdr *)(batch->data + at);

		message->nlmsg_seq = ++nl->seq;
		if (!is_frame(bus, message)) {
			last = message;
			nl->n_changes++;
		}
		at += MNL_ALIGN(message->nlmsg_len);
	}
	last->nlmsg_flags |= NLM_F_ACK;
	return last->nlmsg_seq;
}

static bool is_new_rule(const struct nlmsghdr *message)
{
	return message->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE);
}

static const struct nlmsghdr *message_at(const struct rt_batch *batch, size_t index)
{
	const struct nlmsghdr *message = (const struct nlmsghdr *)batch->data;

	while (index--)
		message = (const void *)((const unsigned char *)message + MNL_ALIGN(message->nlmsg_len));
	return message;
}

static bool bears(struct rt_batch *batch, size_t index, int error)
{
	const bool borne = batch->bears && batch->bears(message_at(batch, index), error);

	batch->n_borne += borne;
	return borne;
}

/* Finds the refused message, and which of its step's rules it is. */
static const struct nlmsghdr *find_refused(const struct rt_batch *batch, enum rt_bus bus, struct rt_refusal *refusal)
{
	const struct nlmsghdr *message = (const struct nlmsghdr *)batch->data;

	for (size_t i = 0; i < refusal->message; i++) {
		refusal->rule += is_new_rule(message) && batch->tags[i] == batch->tags[refusal->message];
		message = (const void *)((const unsigned char *)message + MNL_ALIGN(message->nlmsg_len));
	}
	refusal->is_rule = bus == RT_NETFILTER && is_new_rule(message);
	return message;
}

/* An extack of a rule points at the expression that was refused, as an element of the rule's list. */
static void name_part(const struct nlmsghdr *message, uint32_t offset, struct rt_refusal *refusal)
{
	const struct nlattr *element = (const void *)((const char *)message + offset), *attr;

	if (!refusal->is_rule)
		return;
	if (offset + sizeof(*element) > message->nlmsg_len || element->nla_len > message->nlmsg_len - offset)
		return;
	if (mnl_attr_get_type(element) != NFTA_LIST_ELEM)
		return;
	mnl_attr_for_each_nested(attr, element) if (mnl_attr_get_type(attr) == NFTA_EXPR_NAME &&
						    !mnl_attr_validate(attr, MNL_TYPE_NUL_STRING))
		snprintf(refusal->part, sizeof(refusal->part), "%s", mnl_attr_get_str(attr));
}

/* The refused message itself is not repeated in the answer (NETLINK_CAP_ACK): attributes follow at once. */
static void read_extack(const struct nlmsghdr *answer, const struct nlmsghdr *refused, struct rt_refusal *refusal)
{
	const struct nlattr *attr;
	size_t offset = sizeof(struct nlmsgerr);
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(answer);

	if (!(answer->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(answer->nlmsg_flags & NLM_F_CAPPED))
		offset += MNL_ALIGN(error->msg.nlmsg_len) - sizeof(struct nlmsghdr);
	if (offset > mnl_nlmsg_get_payload_len(answer))
		return;
	mnl_attr_for_each(attr, answer, offset)
	{
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG && !mnl_attr_validate(attr, MNL_TYPE_NUL_STRING))
			snprintf(refusal->text, sizeof(refusal->text), "%s", mnl_attr_get_str(attr));
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_OFFS && !mnl_attr_validate(attr, MNL_TYPE_U32))
			name_part(refused, mnl_attr_get_u32(attr), refusal);
	}
}

/* The error that an answer carries; 1 when it is no such answer. */
static int error_of(const struct nlmsghdr *answer)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(answer);

	if (answer->nlmsg_type != NLMSG_ERROR || mnl_nlmsg_get_payload_len(answer) < sizeof(*error))
		return 1;
	return error->error > 0 ? -error->error : error->error;
}

/* mnl_nlmsg_ok() takes a length of more than 2 GiB for a negative one. */
static bool is_whole(const struct nlmsghdr *message, int left)
{
	return mnl_nlmsg_ok(message, left) && message->nlmsg_len <= (uint32_t)left;
}

int rt_exchange(struct rt_netlink *nl, enum rt_bus bus, struct rt_batch *batch, struct rt_refusal *refusal)
{
	uint32_t first = nl->seq + 1, last;
	bool acked = false, lost = false;
	ssize_t got;
	int rc;

	*refusal = (struct rt_refusal){ .message = SIZE_MAX };
	end_message(batch);
	if (batch->error) {
		refusal->message = 0;
		return refusal->error = batch->error;
	}
	last = number(nl, bus, batch);
	rc = nl->transport->send(nl->transport, bus, batch->data, batch->len);
	if (rc)
		return refusal->error = rc;
	while ((got = nl->transport->receive(nl->transport, bus, nl->buffer, sizeof(nl->buffer))) != 0) {
		const struct nlmsghdr *answer = (const struct nlmsghdr *)nl->buffer;

		if (got == -ENOBUFS && !lost) { /* reported once; what did fit is still to be read */
			lost = true;
			continue;
		}
		if (got < 0)
			return refusal->error = refusal->error ? refusal->error : (int)got;
		for (int left = (int)got; is_whole(answer, left); answer = mnl_nlmsg_next(answer, &left)) {
			uint32_t index = answer->nlmsg_seq - first;
			int error = error_of(answer);

			if (index >= batch->n || error > 0)
				continue;
			if (error && !refusal->error && !bears(batch, index, error)) {
				refusal->error = error;
				refusal->message = index;
				read_extack(answer, find_refused(batch, bus, refusal), refusal);
			}
			acked |= answer->nlmsg_seq == last;
		}
	}
	if (!refusal->error && !acked)
		refusal->error = lost ? -ENOBUFS : -EPROTO;
	return refusal->error;
}

int rt_request(struct rt_netlink *nl, enum rt_bus bus, struct nlmsghdr *request, rt_each *each, void *arg)
{
	bool interrupted = false;
	ssize_t got;
	int rc;

	request->nlmsg_seq = ++nl->seq;
	request->nlmsg_flags |= NLM_F_REQUEST;
	if ((request->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
		request->nlmsg_flags |= NLM_F_ACK;
	rc = nl->transport->send(nl->transport, bus, request, request->nlmsg_len);
	if (rc)
		return rc;
	while ((got = nl->transport->receive(nl->transport, bus, nl->buffer, sizeof(nl->buffer))) > 0) {
		const struct nlmsghdr *answer = (const struct nlmsghdr *)nl->buffer;

		for (int left = (int)got; is_whole(answer, left); answer = mnl_nlmsg_next(answer, &left)) {
			int error = error_of(answer);

			if (answer->nlmsg_seq != nl->seq)
				continue;
			interrupted |= !!(answer->nlmsg_flags & NLM_F_DUMP_INTR);
			if (answer->nlmsg_type == NLMSG_DONE && mnl_nlmsg_get_payload_len(answer) >= sizeof(int)) {
				error = *(const int *)mnl_nlmsg_get_payload(answer);
				error = error > 0 ? 0 : error; /* a dump of nothing may end in a count */
			}
			if (error <= 0)
				return rc ? rc : error ? error : interrupted ? -EINTR : 0;
			if (!rc && answer->nlmsg_type >= NLMSG_MIN_TYPE)
				rc = each(answer, arg);
		}
	}
	return rc ? rc : got == -ENOBUFS ? -EINTR : got ? (int)got : -EPROTO;
}

/* ---- devices ---- */

static int take_ifindex(const struct nlmsghdr *message, void *arg)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	unsigned int *ifindex = arg;

	if (message->nlmsg_type == RTM_NEWLINK && mnl_nlmsg_get_payload_len(message) >= sizeof(*info))
		*ifindex = (unsigned int)info->ifi_index;
	return 0;
}

unsigned int rt_ifindex(struct rt_netlink *nl, const char *device)
{
	uint64_t space[64] = { 0 };
	struct nlmsghdr *request = mnl_nlmsg_put_header(space);
	unsigned int ifindex = 0;
	struct rt_device *d;

	for (size_t i = 0; i < nl->n_devices; i++)
		if (!strcmp(nl->devices[i].name, device))
			return nl->devices[i].ifindex;
	if (strlen(device) >= sizeof(d->name))
		return 0;
	request->nlmsg_type = RTM_GETLINK;
	mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(request, IFLA_IFNAME, device);
	if (rt_request(nl, RT_ROUTE, request, take_ifindex, &ifindex) || !ifindex)
		return 0;
	if (nl->n_devices == nl->room_devices) {
		d = realloc(nl->devices, (nl->room_devices * 2 + 8) * sizeof(*d));
		if (!d)
			return ifindex;
		nl->devices = d;
		nl->room_devices = nl->room_devices * 2 + 8;
	}
	d = &nl->devices[nl->n_devices++];
	snprintf(d->name, sizeof(d->name), "%s", device);
	d->ifindex = ifindex;
	return ifindex;
}

void rt_forget_devices(struct rt_netlink *nl)
{
	nl->n_devices = 0;
}

/* ---- events ---- */

static int weight_of(const struct nlmsghdr *message)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(message);

	if (message->nlmsg_type != RTM_NEWROUTE && message->nlmsg_type != RTM_DELROUTE)
		return 2;
	return mnl_nlmsg_get_payload_len(message) >= sizeof(*route) && route->rtm_protocol != CNI_PROTO ? 1 : 2;
}

int rt_events(struct rt_netlink *nl)
{
	int weight = 0;
	ssize_t got;

	while ((got = nl->transport->receive(nl->transport, RT_EVENTS, nl->buffer, sizeof(nl->buffer))) != 0) {
		const struct nlmsghdr *message = (const struct nlmsghdr *)nl->buffer;

		if (got < 0 && got != -ENOBUFS)
			return 2;
		if (got < 0) {
			weight = 2;
			continue;
		}
		for (int left = (int)got; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
			int w = weight_of(message);

			weight = w > weight ? w : weight;
		}
	}
	return weight;
}
