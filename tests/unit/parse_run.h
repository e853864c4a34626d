/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parse_run.h - what the tests of grammar/ share: one text parsed, its mistakes in short, a policy with everything. */
#ifndef PARSE_RUN_H
#define PARSE_RUN_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/arena.h"
#include "compiler/text.h"
#include "grammar/parse.h"

struct run {
	struct cni_arena *arena;
	struct cni_sources sources;
	struct cni_diags diags;
	const struct cni_source *source;
	struct cni_ast_decl *decls;
};

static inline struct run *begin(const char *text, size_t len)
{
	struct cni_arena *arena = cni_arena_new();
	struct run *run = cni_new(arena, struct run);

	run->arena = arena;
	cni_diags_init(&run->diags, arena);
	/* a text before it: bases are not 1 by accident */
	cni_source_add(arena, &run->sources, "before.cni", "# nothing\n", 10);
	run->source = cni_source_add(arena, &run->sources, "test.cni", text, len);
	return run;
}

static inline struct run *parse_bytes(const char *text, size_t len)
{
	struct run *run = begin(text, len);
	struct cni_ast_decl **tail = &run->decls;

	cni_parse(run->arena, run->source, &run->diags, &tail);
	assert_null(*tail);
	return run;
}

static inline struct run *parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

static inline void done(struct run *run)
{
	cni_arena_free(run->arena);
}

/* "LINE:COLUMN CODE" of each, in order of places. */
static inline const char *mistakes(struct run *run)
{
	struct cni_text text = { .arena = run->arena };

	cni_diags_sort(&run->diags);
	for (const struct cni_diag *d = run->diags.first; d; d = d->next) {
		struct cni_place place = cni_place_of(&run->sources, d->span.begin);

		cni_text_printf(&text, "%s%u:%u %d", d == run->diags.first ? "" : ", ", place.line, place.column,
				d->code);
	}
	return text.data ? text.data : "";
}

static inline struct run *good(const char *text)
{
	struct run *run = parse(text);

	assert_string_equal(mistakes(run), "");
	return run;
}

static inline size_t count(const struct run *run)
{
	size_t n = 0;

	for (const struct cni_ast_decl *d = run->decls; d; d = d->next)
		n++;
	return n;
}

/* Owned by the caller. */
static inline char *repeat(const char *part, size_t n)
{
	size_t len = strlen(part);
	char *text = malloc(n * len + 1);

	assert_non_null(text);
	for (size_t i = 0; i < n; i++)
		memcpy(text + i * len, part, len);
	text[n * len] = '\0';
	return text;
}

/* The two policies of the language's description. */
static const char samples[] __attribute__((unused)) =
	"define office  = { 10.10.0.0/16, 2001:db8:10::/48 };      # a prefix set\n"
	"define saas    = file \"saas.prefixes\";\n"
	"service voip   = { udp 5060-5061, udp 10000-20000 };\n"
	"service bulk   = { tcp 445, tcp 873, tcp 2049 };\n"
	"lan hq { device eth2; prefix 10.10.0.0/16, 2001:db8:10::/48; }\n"
	"link cni-ams {\n"
	"	kind     classic;                  # express | classic | pni | peering | internet\n"
	"	device   eth1 vlan 100;\n"
	"	address  192.0.2.11/31;\n"
	"	bgp      { local-as 64512; peer-as 13335; }\n"
	"}\n"
	"link isp     { kind internet; device eth0; address 198.51.100.2/30; }\n"
	"tunnel cf1 {\n"
	"	kind     gre;\n"
	"	over     cni-ams then cni-lhr;\n"
	"	local    198.51.100.130;\n"
	"	remote   203.0.113.200;\n"
	"	address  10.100.0.9/31, 2001:db8:ffff::1/127;\n"
	"	health   { direction bidirectional; type request; }\n"
	"	track    { every 1s; down 3; up 5; loss 0.1% over 500ms; }\n"
	"}\n"
	"policy office on eth2, \"eth1.100\", local {\n"
	"	route voip   service voip                          via cf1 then cf2              else drop;\n"
	"	route ef     dscp ef                               via cf1 then cf2              else drop;\n"
	"	route saas   to saas                               via isp masquerade            else reject;\n"
	"	route sites  to { 10.20.0.0/16, 10.30.0.0/16 }     via cf1 weight 3, cf2 weight 1 else drop;\n"
	"	route rest   not from office                       via main masquerade;\n"
	"	route own    udp dport 5060 source 192.0.2.1       via cf1 else main;\n"
	"	route icmp1  icmp echo-request icmpv6 128          drop;\n"
	"	route web    tcp sport 1024-65535 dport {80, 443}  reject;\n"
	"	route other  proto { icmp, 47 } service { udp 53, voip } via cf1 else drop;\n"
	"	else drop;\n"
	"}\n"
	"expect on eth2 from 10.10.0.5 to 198.51.100.9 udp dport 5060   via cf1;\n"
	"expect on eth2 from office to 10.30.0.0/16                     never via isp;\n"
	"expect on \"eth2\" when cf1, cf2 down drop;\n"
	"expect on local to 192.0.2.1 via main;\n"
	"profile 2026;\n"
	"options { mark-mask 0xffff; established follow; }\n"
	"var uplink = \"eth1.100\";\n"
	"link cf      { kind express; device $uplink; health legacy { target 172.64.240.253; } track off; }\n"
	"include \"common/saas.cni\";\n";

#endif
