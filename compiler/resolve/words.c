/* SPDX-License-Identifier: GPL-2.0-or-later */
/* words.c - names of numbers in packets, as IANA's registries and nft have them. */
#include "compiler/resolve/resolve.h"

const struct cni_word cni_proto_words[] = {
	{ "icmp", 1 },	 { "igmp", 2 },	     { "ipip", 4 },  { "tcp", 6 },	{ "udp", 17 },	 { "dccp", 33 },
	{ "ipv6", 41 },	 { "rsvp", 46 },     { "gre", 47 },  { "esp", 50 },	{ "ah", 51 },	 { "icmpv6", 58 },
	{ "eigrp", 88 }, { "ospf", 89 },     { "pim", 103 }, { "ipcomp", 108 }, { "vrrp", 112 }, { "l2tp", 115 },
	{ "sctp", 132 }, { "udplite", 136 }, { 0 },
};

/* Those whose header begins with a source and a destination port. */
const struct cni_word cni_port_proto_words[] = {
	{ "tcp", 6 }, { "udp", 17 }, { "dccp", 33 }, { "sctp", 132 }, { "udplite", 136 }, { 0 },
};

/* RFC 2474 (cs), 2597 (af), 3246 (ef), 5865 (va), 8622 (le); be is the default, 0. */
const struct cni_word cni_dscp_words[] = {
	{ "be", 0 },	{ "cs0", 0 },	{ "cs1", 8 },	{ "cs2", 16 },	{ "cs3", 24 },	{ "cs4", 32 },	{ "cs5", 40 },
	{ "cs6", 48 },	{ "cs7", 56 },	{ "af11", 10 }, { "af12", 12 }, { "af13", 14 }, { "af21", 18 }, { "af22", 20 },
	{ "af23", 22 }, { "af31", 26 }, { "af32", 28 }, { "af33", 30 }, { "af41", 34 }, { "af42", 36 }, { "af43", 38 },
	{ "ef", 46 },	{ "va", 44 },	{ "le", 1 },	{ 0 },
};

const struct cni_word cni_icmp_words[] = {
	{ "echo-reply", 0 },	       { "destination-unreachable", 3 },
	{ "source-quench", 4 },	       { "redirect", 5 },
	{ "echo-request", 8 },	       { "router-advertisement", 9 },
	{ "router-solicitation", 10 }, { "time-exceeded", 11 },
	{ "parameter-problem", 12 },   { "timestamp-request", 13 },
	{ "timestamp-reply", 14 },     { "info-request", 15 },
	{ "info-reply", 16 },	       { "address-mask-request", 17 },
	{ "address-mask-reply", 18 },  { 0 },
};

const struct cni_word cni_icmpv6_words[] = {
	{ "destination-unreachable", 1 },
	{ "packet-too-big", 2 },
	{ "time-exceeded", 3 },
	{ "parameter-problem", 4 },
	{ "echo-request", 128 },
	{ "echo-reply", 129 },
	{ "mld-listener-query", 130 },
	{ "mld-listener-report", 131 },
	{ "mld-listener-done", 132 },
	{ "nd-router-solicit", 133 },
	{ "nd-router-advert", 134 },
	{ "nd-neighbor-solicit", 135 },
	{ "nd-neighbor-advert", 136 },
	{ "nd-redirect", 137 },
	{ "router-renumbering", 138 },
	{ "mld2-listener-report", 143 },
	{ 0 },
};
