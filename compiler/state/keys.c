/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keys.c - the types of set keys, with the numbers that nft (include/datatype.h, enum datatypes) gives them. */
#include "compiler/state.h"

const struct cni_key_info cni_key_info[CNI_N_KEYS] = {
	[CNI_KEY_IPV4] = { "ipv4_addr", 7, 4, false },
	[CNI_KEY_IPV6] = { "ipv6_addr", 8, 16, false },
	[CNI_KEY_SERVICE] = { "inet_service", 13, 2, false },
	[CNI_KEY_PROTO] = { "inet_proto", 12, 1, false },
	[CNI_KEY_MARK] = { "mark", 19, 4, true },
	[CNI_KEY_IFNAME] = { "ifname", 41, 16, false },
};
