/* SPDX-License-Identifier: GPL-2.0-or-later */
/* transitions.c - see transitions.h. */
#include "tests/fault/transitions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fault/router.h"

#define PREFIXES 10000

const struct transition transitions[] = {
	{ .name = "empty and T1", .to = "examples/t1-express" },
	{ .name = "empty and links of every kind", .to = "plain", .killed = true, .slow = true },
	{ .name = "a gateway changed", .from = "plain", .to = "gateway", .slow = true },
	{ .name = "a link's address changed", .from = "plain", .to = "address", .in_place = true },
	{ .name = "paths removed, and added", .from = "plain", .to = "fewer" },
	{ .name = "paths renumbered", .from = "plain", .to = "renamed" },
	{ .name = "10,000 prefixes changed", .from = "many-a", .to = "many-b" },
	{ .name = "families added to links", .from = "plain", .to = "families" },
	{ .name = "masquerading elsewhere", .from = "plain", .to = "masquerade" },
	{ .name = "weights changed", .from = "plain", .to = "weights", .killed = true, .flows = true },
	{ .name = "few paths and many", .from = "paths-10", .to = "paths-20", .killed = true },
	{ .name = "many paths and more", .from = "paths-20", .to = "paths-40", .slow = true },
	{ .name = "settings changed", .from = "plain", .to = "settings" },
	{ .name = "everything swapped", .from = "plain", .to = "swapped", .killed = true },
	{ .name = "links of every kind and T1",
	  .from = "plain",
	  .to = "examples/t1-express",
	  .killed = true,
	  .slow = true },
	{ .name = "empty and T3", .to = "examples/t3-multi-site", .tunnels = true, .killed = true, .slow = true },
	{ .name = "T3 and T1",
	  .from = "examples/t3-multi-site",
	  .to = "examples/t1-express",
	  .tunnels = true,
	  .killed = true },
	{ .name = "a tunnel's endpoint changed",
	  .from = "tunnels",
	  .to = "endpoint",
	  .tunnels = true,
	  .in_place = true },
	{ .name = "a tunnel's mtu, ttl and key changed",
	  .from = "tunnels",
	  .to = "figures",
	  .tunnels = true,
	  .in_place = true,
	  .slow = true },
	{ .name = "a family added to tunnels",
	  .from = "tunnels",
	  .to = "inner6",
	  .tunnels = true,
	  .killed = true,
	  .slow = true },
	{ .name = "a tunnel's kind changed", .from = "tunnels", .to = "kind", .tunnels = true, .in_place = true },
	{ .name = "tunnels trade their ends", .from = "tunnels", .to = "traded", .tunnels = true, .in_place = true },
	{ .name = "a VLAN changed", .from = "tunnels", .to = "vlan", .tunnels = true, .in_place = true, .slow = true },
	{ .name = "a tunnel's address changed",
	  .from = "tunnels",
	  .to = "inner",
	  .tunnels = true,
	  .in_place = true,
	  .slow = true },
	{ .name = "everything swapped under tunnels",
	  .from = "tunnels",
	  .to = "apart",
	  .tunnels = true,
	  .in_place = true,
	  .flows = true,
	  .slow = true },
};
const size_t n_transitions = sizeof(transitions) / sizeof(*transitions);

/* Two policies of as many prefixes, of which they share none. */
static void write_many(struct cni_arena *arena, const char *scratch, const char *policy, const char *file)
{
	const unsigned int first = strcmp(policy, "many-a") ? 96 : 32;
	FILE *out = fopen(cni_printf(arena, "%s/%s.prefixes", scratch, policy), "w");

	for (unsigned int i = 0; out && i < PREFIXES; i++)
		fprintf(out, "%u.%u.%u.0/24\n", first + (i >> 15), i >> 7 & 255, (i & 127) * 2);
	if (!out || fclose(out))
		bail_out("cannot write into %s", scratch);
	out = fopen(file, "w");
	if (out)
		fprintf(out,
			"define many = file \"%s.prefixes\";\n"
			"lan hq { device eth2; prefix 10.10.0.0/16; }\n"
			"link cni { kind pni; device eth1; address 198.51.100.33/31; }\n"
			"link alt { kind pni; device eth3; address 198.51.100.35/31; }\n"
			"policy hq on eth2 {\n"
			"	route many to many via cni else drop;\n"
			"	route rest from 10.10.0.0/16 via alt else drop;\n"
			"	else drop;\n"
			"}\n",
			policy);
	if (!out || fclose(out))
		bail_out("cannot write %s", file);
}

/* As many paths as its name says, 45 at most. */
static void write_paths(const char *policy, const char *file)
{
	static const char *const orders[] = { "a",
					      "b",
					      "c",
					      "a then b",
					      "b then a",
					      "a then c",
					      "c then a",
					      "b then c",
					      "c then b",
					      "a then b then c",
					      "a then c then b",
					      "b then a then c",
					      "b then c then a",
					      "c then a then b",
					      "c then b then a" };
	static const char *const ends[] = { "drop", "reject", "main" };
	const unsigned long n = strtoul(strchr(policy, '-') + 1, NULL, 10);
	FILE *out = fopen(file, "w");

	if (!out)
		bail_out("cannot write %s", file);
	fputs("lan hq { device eth2; prefix 10.10.0.0/16; }\n"
	      "link a { kind pni; device eth1; address 198.51.100.33/31; }\n"
	      "link b { kind pni; device eth3; address 198.51.100.35/31; }\n"
	      "link c { kind internet; device eth0; address 198.51.100.2/30; }\n"
	      "policy hq on eth2 {\n",
	      out);
	for (unsigned long i = 0; i < n; i++)
		fprintf(out, "	route r%lu udp dport %lu via %s else %s;\n", i, i + 1, orders[i % 15], ends[i / 15]);
	fputs("	else drop;\n}\n", out);
	if (fclose(out))
		bail_out("cannot write %s", file);
}

const char *transition_file(struct cni_arena *arena, const char *top, const char *scratch, const char *policy)
{
	const char *file;

	if (!policy)
		return NULL;
	file = cni_printf(arena, "%s/%s.cni", scratch, policy);
	if (!strncmp(policy, "many-", 5)) {
		if (access(file, F_OK))
			write_many(arena, scratch, policy, file);
		return file;
	}
	if (!strncmp(policy, "paths-", 6)) {
		if (access(file, F_OK))
			write_paths(policy, file);
		return file;
	}
	return cni_printf(arena, "%s/%s%s.cni", top, strchr(policy, '/') ? "" : "tests/fault/policies/", policy);
}
