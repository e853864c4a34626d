/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bird.c - the outer packets' BGP as a configuration of BIRD 2, in its words and within its limits.
 *
 * A table a family holds what the sessions learn and, from the device lo, the tunnels' own ends. Of the first, each end
 * takes what leads to its tunnels' remote ends, by a pipe that puts the links in order, into a table of its own, and that
 * goes to the kernel's table of these outer packets. Of the second, a session announces what uses its link. */
#include "compiler/emit/bird.h"

#include <string.h>

#include "compiler/emit/emit.h"

#define HOLD_TIME 30 /* s: how long a silent peer goes unnoticed without BFD; RFC 4271 suggests 90 */
#define ERROR_WAIT "5, 60" /* s: before a session that failed is tried again, and at most after many times */
#define BFD_INTERVAL 300 /* ms */
#define BFD_MULTIPLIER 3

struct writer {
	struct cni_text *out;
	const struct cni_sources *sources;
	struct bird bird;
};

static const char *const families[] = { [CNI_V4] = "ipv4", [CNI_V6] = "ipv6" };
static const unsigned int digits[] = { [CNI_V4] = 4, [CNI_V6] = 6 };

static void puts_addr(struct cni_text *out, struct cni_addr addr)
{
	char text[CNI_ADDR_TEXT];

	cni_text_puts(out, cni_addr_format(addr, text));
}

static void puts_host(struct cni_text *out, struct cni_addr addr)
{
	puts_addr(out, addr);
	cni_text_printf(out, "/%u", cni_width(addr.family));
}

/* Symbols of ends and sessions hold our address there, and so stay what they are whatever is declared beside it: BIRD
 * starts anew what it finds under another name. */
static void puts_symbol(struct cni_text *out, const char *what, struct cni_addr ours, const char *after)
{
	cni_text_printf(out, "'cnic.%s.", what);
	puts_addr(out, ours);
	cni_text_printf(out, "'%s", after);
}

static struct cni_addr ours(const struct bird_session *session)
{
	return session->link->iface[session->family].address.addr;
}

/* " (FILE:LINE)": where it is declared. A file's name may hold what would end the comment. */
static void puts_place(const struct writer *w, const struct cni_target *target)
{
	const struct cni_place place = cni_place_of(w->sources, target->decl->name.span.begin);

	if (!place.source)
		return;
	cni_text_puts(w->out, " (");
	for (const char *c = place.source->name; *c; c++)
		cni_text_add(w->out, (unsigned char)*c < ' ' ? "?" : c, 1);
	cni_text_printf(w->out, ":%u)", place.line);
}

/* "# tunnel cf1 (FILE:LINE), tunnel cf2 (FILE:LINE)" */
static void puts_tunnels(const struct writer *w, const char *indent, const struct bird_end *end)
{
	cni_text_printf(w->out, "%s# ", indent);
	for (size_t i = 0; i < end->n_tunnels; i++) {
		cni_text_printf(w->out, "%stunnel %s", i ? ", " : "", end->tunnels[i]->name);
		puts_place(w, end->tunnels[i]);
	}
}

/* ---- what is common to all ---- */

static void puts_head(const struct writer *w)
{
	const struct cni_addr id = { CNI_V4, w->bird.router_id };

	cni_text_puts(w->out,
		      "# All that one BIRD 2 does, written by cnic: BGP on the links that have `bgp`, for the outer "
		      "packets of tunnels.\n"
		      "# What it learns goes to these packets' own tables, which cnic closes; what it announces are "
		      "the tunnels' ends.\n");
	if (!w->bird.n_sessions)
		cni_text_puts(w->out, "# No tunnel of this policy runs over such a link.\n");
	cni_text_puts(w->out, "\nlog syslog all;\nrouter id ");
	puts_addr(w->out, id);
	cni_text_puts(w->out, ";\n\nprotocol device 'cnic.device' {\n}\n");
}

static bool has_family(const struct bird *bird, enum cni_family family)
{
	for (size_t i = 0; i < bird->n_sessions; i++)
		if (bird->sessions[i].family == family)
			return true;
	return false;
}

/* From lo, so that an end is announced while it is there: `cnic remove` withdraws it. */
static void puts_own(const struct writer *w, enum cni_family family)
{
	const struct bird *bird = &w->bird;
	bool any = false;

	if (!has_family(bird, family))
		return;
	cni_text_printf(w->out, "\n%s table 'cnic.links.%u';\n", families[family], digits[family]);
	for (size_t i = 0; i < bird->n_ends; i++) {
		if (bird->ends[i].local.family != family || !bird->ends[i].announced)
			continue;
		if (!any)
			cni_text_printf(w->out,
					"\nprotocol direct 'cnic.own.%u' {\n\tinterface \"lo\";\n\t%s {\n"
					"\t\ttable 'cnic.links.%u';\n\t\timport where net ~ [",
					digits[family], families[family], digits[family]);
		cni_text_puts(w->out, any ? ", " : " ");
		puts_host(w->out, bird->ends[i].local);
		any = true;
	}
	cni_text_puts(w->out, any ? " ];\n\t};\n}\n" : "");
}

static bool has_bfd(const struct bird_session *session)
{
	return session->link->link.bfd || session->link->link.bgp.bfd;
}

static void puts_bfd(const struct writer *w)
{
	const struct cni_target *last = NULL;

	for (size_t i = 0; i < w->bird.n_sessions; i++) {
		const struct bird_session *session = &w->bird.sessions[i];

		if (!has_bfd(session) || session->link == last)
			continue;
		if (!last)
			cni_text_puts(w->out, "\nprotocol bfd 'cnic.bfd' {\n\taccept direct;\n\tstrict bind;\n");
		last = session->link;
		cni_text_printf(w->out, "\tinterface \"%s\" { interval %u ms; multiplier %u; };\n", last->ifname,
				BFD_INTERVAL, BFD_MULTIPLIER);
	}
	cni_text_puts(w->out, last ? "}\n" : "");
}

/* ---- a tunnel's end ---- */

static void puts_wanted(const struct writer *w, const struct bird_end *end)
{
	const bool many = end->n_tunnels > 1;

	cni_text_puts(w->out, "\n");
	puts_tunnels(w, "", end);
	cni_text_printf(w->out, ": what leads to %s remote end%s", many ? "their" : "its", many ? "s" : "");
	if (end->wide)
		cni_text_puts(w->out, ", and to whoever probes from elsewhere");
	cni_text_puts(w->out, "\ndefine ");
	puts_symbol(w->out, "wanted", end->local, " = [ ");
	for (size_t i = 0; i < end->n_tunnels && !end->wide; i++) {
		puts_host(w->out, end->tunnels[i]->tunnel.remote);
		cni_text_puts(w->out, i + 1 < end->n_tunnels ? "-, " : "-");
	}
	if (end->wide)
		cni_text_puts(w->out, end->local.family == CNI_V4 ? "0.0.0.0/0+" : "::/0+");
	cni_text_puts(w->out, " ];\n");
}

/* `over` as local preference, from 100 for the last link up. */
static void puts_order(const struct writer *w, const struct bird_end *end)
{
	for (size_t i = 0; i < w->bird.n_sessions; i++) {
		const struct bird_session *session = &w->bird.sessions[i];
		const size_t rank = bird_rank(end, session);

		if (rank == CNI_NONE)
			continue;
		cni_text_puts(w->out, "\t\tif proto = \"cnic.bgp.");
		puts_addr(w->out, ours(session));
		cni_text_printf(w->out, "\" then { bgp_local_pref = %zu; accept; }\n", 99 + end->n_over - rank);
	}
}

static void puts_end(const struct writer *w, const struct bird_end *end)
{
	const char *family = families[end->local.family];

	cni_text_puts(w->out, "\n");
	puts_tunnels(w, "", end);
	cni_text_puts(w->out, ": outer packets from ");
	puts_addr(w->out, end->local);
	cni_text_printf(w->out, "\n%s table ", family);
	puts_symbol(w->out, "outer", end->local, ";\n\nprotocol pipe ");
	puts_symbol(w->out, "order", end->local, " {\n\ttable ");
	cni_text_printf(w->out, "'cnic.links.%u';\n\tpeer table ", digits[end->local.family]);
	puts_symbol(w->out, "outer", end->local, ";\n\timport none;\n\texport filter {\n\t\tif ! (net ~ ");
	puts_symbol(w->out, "wanted", end->local, ") then reject;\n");
	puts_order(w, end);
	cni_text_puts(w->out, "\t\treject;\n\t};\n}\n\nprotocol kernel ");
	puts_symbol(w->out, "kernel", end->local, " {\n");
	cni_text_printf(w->out, "\tkernel table %u;\n\tgraceful restart;\n\t%s {\n\t\ttable ", end->table, family);
	puts_symbol(w->out, "outer", end->local,
		    ";\n\t\timport none;\n\t\texport where dest = RTD_UNICAST;\n\t};\n}\n");
}

/* ---- a session ---- */

static void puts_import(const struct writer *w, const struct bird_session *session)
{
	const char *before = "\t\timport where net ~ ";

	for (size_t i = 0; i < w->bird.n_ends; i++) {
		if (bird_rank(&w->bird.ends[i], session) == CNI_NONE)
			continue;
		cni_text_puts(w->out, before);
		puts_symbol(w->out, "wanted", w->bird.ends[i].local, "");
		before = " || net ~ ";
	}
	cni_text_puts(w->out, ";\n");
}

/* A longer AS path is the only hint that the far side is known to heed: one more of ours for each link before. */
static void puts_export(const struct writer *w, const struct bird_session *session)
{
	cni_text_puts(w->out, "\t\texport filter {\n\t\t\tif source != RTS_DEVICE then reject;\n");
	for (size_t i = 0; i < w->bird.n_ends; i++) {
		const struct bird_end *end = &w->bird.ends[i];
		const size_t rank = bird_rank(end, session);

		if (rank == CNI_NONE || !end->announced)
			continue;
		puts_tunnels(w, "\t\t\t", end);
		cni_text_printf(w->out, ": %zu of %zu in `over`\n\t\t\tif net = ", rank + 1, end->n_over);
		puts_host(w->out, end->local);
		cni_text_puts(w->out, " then {");
		for (size_t n = 0; n < rank; n++)
			cni_text_printf(w->out, " bgp_path.prepend(%u);", session->link->link.bgp.local_as);
		cni_text_puts(w->out, " accept; }\n");
	}
	cni_text_puts(w->out, "\t\t\treject;\n\t\t};\n");
}

static void put_session(const struct writer *w, const struct bird_session *session)
{
	const struct cni_target *t = session->link;
	const struct cni_bgp *bgp = &t->link.bgp;
	struct cni_text *out = w->out;

	cni_text_printf(out, "\n# link %s", t->name);
	puts_place(w, t);
	cni_text_puts(out, "\nprotocol bgp ");
	puts_symbol(out, "bgp", ours(session), " {\n");
	cni_text_printf(out, "\tdescription \"%s\";\n\tlocal ", t->name);
	puts_addr(out, ours(session));
	cni_text_printf(out, " as %u;\n\tneighbor ", bgp->local_as);
	puts_addr(out, t->iface[session->family].peer);
	cni_text_printf(out, " as %u;\n\tinterface \"%s\";\n\tstrict bind;\n\tfree bind;\n\thold time %u;\n",
			bgp->peer_as, t->ifname, HOLD_TIME);
	cni_text_puts(out, "\terror wait time " ERROR_WAIT ";\n\tenforce first as;\n\tgraceful restart;\n");
	cni_text_puts(out, has_bfd(session) ? "\tbfd;\n" : "");
	if (bgp->md5_file) /* BIRD takes an include within an option, at the start of a line: the file is one string */
		cni_text_printf(out, "\tpassword\ninclude \"%s\";;\n", bgp->md5_file);
	cni_text_printf(out, "\t%s {\n\t\ttable 'cnic.links.%u';\n", families[session->family],
			digits[session->family]);
	puts_import(w, session);
	puts_export(w, session);
	cni_text_puts(out, "\t};\n}\n");
}

void cni_emit_bird(struct cni_text *out, const struct cni_model *model, const struct cni_state *state,
		   const struct cni_sources *sources)
{
	const struct writer w = { out, sources, bird_collect(out->arena, model, state) };

	puts_head(&w);
	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++)
		puts_own(&w, f);
	puts_bfd(&w);
	for (size_t i = 0; i < w.bird.n_ends; i++)
		puts_wanted(&w, &w.bird.ends[i]);
	for (size_t i = 0; i < w.bird.n_sessions; i++)
		put_session(&w, &w.bird.sessions[i]);
	for (size_t i = 0; i < w.bird.n_ends; i++)
		puts_end(&w, &w.bird.ends[i]);
}
