/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flows.c - see flows.h. */
#include "tests/fault/flows.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "tests/fault/router.h"

#define EPOCHS 7 /* see compiler/lower/lower_internal.h */
#define EPOCH_STEP 0x2000 /* the top three bits of the default mark-mask */
#define UDP 17

static void put_tuple(struct nlmsghdr *message, uint16_t type, uint32_t from, uint32_t to, uint16_t from_port,
		      uint16_t to_port)
{
	struct nlattr *tuple = mnl_attr_nest_start(message, type), *part;

	part = mnl_attr_nest_start(message, CTA_TUPLE_IP);
	mnl_attr_put_u32(message, CTA_IP_V4_SRC, htonl(from));
	mnl_attr_put_u32(message, CTA_IP_V4_DST, htonl(to));
	mnl_attr_nest_end(message, part);
	part = mnl_attr_nest_start(message, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(message, CTA_PROTO_NUM, UDP);
	mnl_attr_put_u16(message, CTA_PROTO_SRC_PORT, htons(from_port));
	mnl_attr_put_u16(message, CTA_PROTO_DST_PORT, htons(to_port));
	mnl_attr_nest_end(message, part);
	mnl_attr_nest_end(message, tuple);
}

static int plant(struct mnl_socket *socket, uint16_t epoch)
{
	const uint32_t lan = 0x0a0a0005, far = 0xc6120001;
	char space[1024] = { 0 };
	struct nlmsghdr *message = mnl_nlmsg_put_header(space);
	struct nfgenmsg *family;
	ssize_t len;

	message->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_ACK;
	family = mnl_nlmsg_put_extra_header(message, sizeof(*family));
	family->nfgen_family = AF_INET;
	put_tuple(message, CTA_TUPLE_ORIG | NLA_F_NESTED, lan, far, (uint16_t)(40000 + epoch), 53);
	put_tuple(message, CTA_TUPLE_REPLY | NLA_F_NESTED, far, lan, 53, (uint16_t)(40000 + epoch));
	mnl_attr_put_u32(message, CTA_TIMEOUT, htonl(3600));
	/* a way that no policy has: only the epoch counts */
	mnl_attr_put_u32(message, CTA_MARK, htonl((uint32_t)epoch * EPOCH_STEP | 0x1fff));
	if (mnl_socket_sendto(socket, message, message->nlmsg_len) < 0)
		return -1;
	len = mnl_socket_recvfrom(socket, space, sizeof(space));
	return len < 0 ? -1 : mnl_cb_run(space, (size_t)len, 0, mnl_socket_get_portid(socket), NULL, NULL);
}

void flows_plant(void)
{
	struct mnl_socket *socket = mnl_socket_open(NETLINK_NETFILTER);

	if (!socket || mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID))
		bail_out("conntrack: %s", strerror(errno));
	for (uint16_t epoch = 1; epoch <= EPOCHS; epoch++)
		if (plant(socket, epoch) < 0)
			bail_out("conntrack takes no flow: %s", strerror(errno));
	mnl_socket_close(socket);
}
