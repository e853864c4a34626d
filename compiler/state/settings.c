/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings.c - where the kernel keeps each setting; see state.h. */
#include "compiler/state.h"

#include <linux/ip.h>

const struct cni_setting_info cni_setting_info[CNI_N_SETTINGS] = {
	[CNI_SET_RP_FILTER] = { "rp_filter", "ipv4/conf/%s/rp_filter", IPV4_DEVCONF_RP_FILTER },
	[CNI_SET_ACCEPT_LOCAL] = { "accept_local", "ipv4/conf/%s/accept_local", IPV4_DEVCONF_ACCEPT_LOCAL },
	[CNI_SET_IGNORE_LINKDOWN] = { "ignore_routes_with_linkdown", "ipv4/conf/%s/ignore_routes_with_linkdown",
				      IPV4_DEVCONF_IGNORE_ROUTES_WITH_LINKDOWN },
	/* IFLA_INET6_CONF is read-only: IPv6 goes by the path */
	[CNI_SET_IGNORE_LINKDOWN6] = { "ignore_routes_with_linkdown6", "ipv6/conf/%s/ignore_routes_with_linkdown", 0 },
	[CNI_SET_MULTIPATH_HASH] = { "fib_multipath_hash_policy", "ipv4/fib_multipath_hash_policy", 0 },
	[CNI_SET_MULTIPATH_HASH6] = { "fib_multipath_hash_policy6", "ipv6/fib_multipath_hash_policy", 0 },
};
