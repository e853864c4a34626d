/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resolve_run.h - a small text through the parser and the resolver, for the tests of the latter. */
#ifndef RESOLVE_RUN_H
#define RESOLVE_RUN_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/arena.h"
#include "compiler/model.h"
#include "compiler/text.h"
#include "grammar/parse.h"

struct run {
	struct cni_arena *arena;
	struct cni_sources sources;
	struct cni_diags diags;
	struct cni_ast ast;
	const struct cni_model *model;
};

static inline struct run parse(const char *text)
{
	struct run run = { .arena = cni_arena_new() };
	struct cni_ast_decl **tail = &run.ast.decls;

	cni_diags_init(&run.diags, run.arena);
	cni_parse(run.arena, cni_source_add(run.arena, &run.sources, "test.cni", text, strlen(text)), &run.diags,
		  &tail);
	/* an empty list of diagnostics points into itself: resolve() mends that in the copy */
	return run;
}

static inline void print_diags(const struct run *run)
{
	for (const struct cni_diag *d = run->diags.first; d; d = d->next)
		print_message("# CNI%d at %u: %s (%s)\n", d->code, d->span.begin, d->message, d->help ? d->help : "");
}

static inline void resolve(struct run *run, const struct cni_setting *settings, size_t n_settings)
{
	if (!run->diags.first)
		run->diags.last = &run->diags.first;
	run->model = cni_resolve(run->arena, &run->ast, settings, n_settings, &run->diags);
}

/* Resolves `text`, which must be free of mistakes. */
static inline struct run good(const char *text)
{
	struct run run = parse(text);

	resolve(&run, NULL, 0);
	if (run.diags.first) {
		print_diags(&run);
		fail_msg("in: %s", text);
	}
	return run;
}

/* Resolves `text` and compares the codes, as "101 120", in order of place. */
static inline struct run bad(const char *text, const char *codes)
{
	struct run run = parse(text);
	struct cni_text got = { .arena = run.arena };

	resolve(&run, NULL, 0);
	cni_diags_sort(&run.diags);
	cni_text_puts(&got, "");
	for (const struct cni_diag *d = run.diags.first; d; d = d->next)
		cni_text_printf(&got, "%s%d", d == run.diags.first ? "" : " ", d->code);
	if (strcmp(got.data, codes)) {
		print_diags(&run);
		fail_msg("`%s`, not `%s`, in: %s", got.data, codes, text);
	}
	return run;
}

static inline void is_bad(const char *text, const char *codes)
{
	struct run run = bad(text, codes);

	cni_arena_free(run.arena);
}

static inline struct cni_addr addr(const char *text)
{
	struct cni_addr a;

	assert_true(cni_addr_parse(text, strlen(text), &a));
	return a;
}

static inline bool same(struct cni_addr a, const char *text)
{
	return cni_addr_equal(a, addr(text));
}

#define LINKS                                                                                                          \
	"link ams { kind classic; device eth1 vlan 100; address 192.0.2.11/31; bgp { local-as 64512; peer-as 13335; "  \
	"} }\n"                                                                                                        \
	"link isp { kind internet; device eth0; address 198.51.100.2/30, 2001:db8:1::2/127; mtu 1492; }\n"
#define TUNNEL                                                                                                         \
	"tunnel cf1 { kind gre; over ams; local 198.51.100.130; remote 203.0.113.200; "                                \
	"address 10.100.0.9/31, 2001:db8:ffff::1/127; track { every 2s; } }\n"

#endif
