/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resolve.h - what the files of resolve/ share: the work in progress, name spaces, and readers of values.
 *
 * Only resolve/ includes this. Everything lives in the arena; every function that finds a mistake reports it and
 * leaves out what it could not make sense of, so that callers go on. */
#ifndef CNI_RESOLVE_H
#define CNI_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler/arena.h"
#include "compiler/model.h"

#define CNI_LINK_MTU 1500 /* Ethernet; Cloudflare, network-interconnect/get-started */
#define CNI_NEST_MAX 16 /* levels of sets, services and variables within each other */

/* ---- name spaces (names.c) ---- */

struct cni_name {
	const char *text;
	struct cni_span span;
	size_t order; /* of declaration */
	const void *owner; /* the declaration; a later one of the same name is not the owner */
	size_t index; /* into the model's array */
};

struct cni_names {
	const char *what; /* "set", "link or tunnel": for messages */
	struct cni_name *items; /* by text, then order, once sealed */
	size_t n;
};

/* A definition that may hold others of its kind. */
enum cni_nest_state { CNI_NEST_TODO, CNI_NEST_DOING, CNI_NEST_DONE };

struct cni_nest {
	enum cni_nest_state state;
	unsigned int height; /* levels below this one */
	bool broken; /* a mistake within was reported: no further complaint about what is missing from it */
};

struct cni_nest_step {
	const struct cni_nest *nest;
	const char *name;
};

struct cni_var { /* `var` or --set */
	const char *name;
	const struct cni_ast_value *value; /* never a VAR once resolved; NULL: broken */
	const struct cni_ast_decl *decl; /* NULL: only given from outside */
	bool used;
};

struct cni_resolver {
	struct cni_arena *arena;
	struct cni_diags *diags;
	const struct cni_ast *ast;
	struct cni_model *model;
	struct cni_names var_names, sets, services, lans, targets, policies, devices;
	struct cni_var *vars;
	size_t n_vars;
	struct cni_nest *var_nest, *set_nest, *service_nest; /* beside vars, model->sets, model->services */
	struct cni_nest_step steps[CNI_NEST_MAX]; /* the definitions that are being looked into */
	unsigned int n_steps;
	struct cni_addr *link_addrs; /* of all links, ascending */
	size_t n_link_addrs;
	size_t *marks, mark; /* a target is in the list at hand when its entry is `mark` */
	size_t n_dropped; /* values left out so far, since a variable had none (which is reported once) */
	size_t n_before; /* errors and dropped values when the field at hand began */
	uint64_t budget; /* bytes that values and ranges may still take: bounds lists of lists and sets of sets */
	bool spent; /* it was not enough, which is reported */
	uint64_t suggest_budget; /* names that may still be compared with an unknown one */
};

/* The result is good until the next one is added. */
struct cni_name *cni_names_add(struct cni_resolver *r, struct cni_names *names, struct cni_ast_word word,
			       const void *owner);
/* Sorts. A name that is there twice is reported as `code`: "WHAT `NAME` PROBLEM"; not if `code` is 0. */
void cni_names_seal(struct cni_resolver *r, struct cni_names *names, enum cni_code code, const char *problem);
/* The first one declared of that name; NULL: none. */
struct cni_name *cni_names_find(const struct cni_names *names, const char *text);
/* The same, but reports a name that is not there, with the nearest of `names` and (unless NULL) of `also`. */
const struct cni_name *cni_names_need(struct cni_resolver *r, const struct cni_names *names,
				      const struct cni_names *also, enum cni_code code, const char *text,
				      struct cni_span span);

/* Looks from `outer` into `inner` (of that name, used at `use`), resolving it by `resolve(r, index)` if that has
 * not been done. False: it is within itself (`code`) or nests too deep, which is reported. */
bool cni_nest(struct cni_resolver *r, struct cni_nest *outer, struct cni_nest *inner, const struct cni_name *name,
	      const char *what, struct cni_span use, enum cni_code code,
	      void (*resolve)(struct cni_resolver *r, size_t index));
/* False, reported once, when sets and lists have grown beyond what one policy may hold. */
bool cni_charge(struct cni_resolver *r, struct cni_span span, uint64_t bytes);

/* ---- variables (vars.c) ---- */

void cni_resolve_vars(struct cni_resolver *r, const struct cni_setting *settings, size_t n_settings);
void cni_report_unused_settings(struct cni_resolver *r);
/* The value itself, or the one that a `$name` stands for; NULL: none (reported). */
const struct cni_ast_value *cni_deref(struct cni_resolver *r, const struct cni_ast_value *use);

/* ---- values (values.c) ---- */

enum cni_separator { CNI_COMMAS /* `a, b`, lists opened */, CNI_WORDS /* `a then b` */, CNI_ANY /* within a list */ };

struct cni_word { /* a keyword and what it stands for; tables end in a NULL name */
	const char *name;
	uint64_t value;
};

/* A mistake in a value: at the place of its use, with the variable's value as a related place. */
struct cni_diag *cni_bad_value(struct cni_resolver *r, enum cni_code code, const struct cni_item *item,
			       const char *format, ...) __attribute__((format(printf, 4, 5)));
struct cni_diag *cni_wrong_kind(struct cni_resolver *r, const struct cni_item *item, const char *what,
				const char *wanted);
size_t cni_items(struct cni_resolver *r, const struct cni_ast_value *values, enum cni_separator separator,
		 struct cni_item **items);

/* Each reads one value; `what` names it in messages ("`mtu`"). False: reported, *out untouched. */
bool cni_value_number(struct cni_resolver *r, const struct cni_item *item, const char *what, enum cni_code code,
		      uint64_t lo, uint64_t hi, uint64_t *out);
bool cni_value_duration(struct cni_resolver *r, const struct cni_item *item, const char *what, uint64_t lo, uint64_t hi,
			uint64_t *out);
bool cni_value_addr(struct cni_resolver *r, const struct cni_item *item, const char *what, struct cni_addr *out);
bool cni_value_choice(struct cni_resolver *r, const struct cni_item *item, const char *what,
		      const struct cni_word *words, uint64_t *out);
bool cni_value_word(struct cni_resolver *r, const struct cni_item *item, const char *what, const char **out);
bool cni_value_device(struct cni_resolver *r, const struct cni_item *item, const char **out);
bool cni_is_word(const struct cni_item *item, const char *word);
/* Reports `name` as CNI125 with the nearest or all of `words`. */
void cni_unknown_word(struct cni_resolver *r, const struct cni_item *item, const char *what,
		      const struct cni_word *words);
/* Reports a name that the kernel takes for no device. */
bool cni_check_ifname(struct cni_resolver *r, const char *name, struct cni_span span);
/* `5060`, `5060-5061`: in order and at most `max`. */
bool cni_value_span(struct cni_resolver *r, const struct cni_item *item, const char *what, uint64_t max, uint64_t *lo,
		    uint64_t *hi);

extern const struct cni_word cni_proto_words[], cni_port_proto_words[], cni_dscp_words[], cni_icmp_words[],
	cni_icmpv6_words[]; /* words.c */

/* ---- fields of blocks (fields.c) ---- */

struct cni_field {
	const char *name;
	void (*read)(struct cni_resolver *r, const struct cni_field *row, const struct cni_ast_field *field,
		     void *object);
	size_t offset, size; /* where in the object the value goes */
	size_t has; /* offset of the bool that says it was written; 0: none */
	uint64_t lo, hi; /* of numbers; of durations in ms */
	const struct cni_word *words; /* of choices */
	enum cni_code range; /* reported when out of lo..hi; 0: CNI124 */
	bool mandatory;
	bool block; /* `name { … }` is allowed */
	bool bare; /* may stand alone: means `on` */
};

struct cni_block {
	const char *what; /* "link" */
	const struct cni_field *rows;
	size_t n_rows;
};

#define CNI_BLOCK_MAX 32 /* rows of a table */
#define CNI_BLOCK(what, rows)                                                                                          \
	{                                                                                                              \
		what, rows, sizeof(rows) / sizeof(*(rows))                                                             \
	}
#define CNI_AT(type, member) .offset = offsetof(type, member), .size = sizeof(((type *)0)->member)

/* Reads every field by its row. Unknown, repeated and missing ones are reported; `owner` is where to point for a
 * missing one. `seen` (CNI_BLOCK_MAX entries, zero at first) may go on from block to block; NULL: one block. */
void cni_read_block(struct cni_resolver *r, const struct cni_block *block, const struct cni_ast_field *fields,
		    struct cni_span owner, const struct cni_ast_field **seen, void *object);

/* Readers for rows. */
typedef void cni_reader(struct cni_resolver *r, const struct cni_field *row, const struct cni_ast_field *field,
			void *object);
cni_reader cni_read_number, cni_read_duration, cni_read_choice, cni_read_flag, cni_read_addr;

/* The field's only value, false (reported) when it has another number of them. */
bool cni_field_one(struct cni_resolver *r, const struct cni_ast_field *field, struct cni_item *item);
/* Reports another number of values than `wanted`, unless something of the field was reported already. */
void cni_field_count(struct cni_resolver *r, const struct cni_ast_field *field, const char *wanted);
void cni_field_store(const struct cni_field *row, void *object, uint64_t value);

/* ---- sets, services ---- */

struct cni_gather { /* ranges in the making (sets.c) */
	struct cni_ranges own;
	struct cni_items written;
	const struct cni_ranges *only; /* all of it is this one: shared, not copied */
	struct cni_nest *nest; /* the set that is being resolved */
	bool literal; /* no names: of `lan` */
	bool from_file, broken;
};

void cni_gather(struct cni_resolver *r, struct cni_gather *gather, const struct cni_ast_value *values,
		enum cni_separator separator);
/* What was gathered, canonical; reports nothing at all as CNI132. */
struct cni_ranges cni_gathered(struct cni_resolver *r, struct cni_gather *gather, struct cni_span span);
bool cni_charge_ranges(struct cni_resolver *r, struct cni_span span, const struct cni_ranges *ranges);
bool cni_prefix_literal(struct cni_resolver *r, const struct cni_item *item, struct cni_prefix *prefix);
void cni_resolve_sets(struct cni_resolver *r);

void cni_resolve_services(struct cni_resolver *r);
/* The parts of a service written in place. */
struct cni_ports cni_service_ports(struct cni_resolver *r, const struct cni_ast_ports *parts);
void cni_add_ports(struct cni_resolver *r, struct cni_ports *ports, struct cni_ast_word protocol,
		   const struct cni_ast_value *values);
void cni_ports_normalise(struct cni_ports *ports);

/* ---- targets ---- */

struct cni_draft { /* a link or tunnel in the making */
	struct cni_target target;
	bool families[CNI_N_FAMILIES], has_families; /* `family` */
	struct cni_addr gateway[CNI_N_FAMILIES];
	struct cni_span gateway_span;
	bool has_gateway[CNI_N_FAMILIES];
	bool has_address; /* `address` was written */
	bool has_kind, has_local, has_remote; /* could be read */
	unsigned int mtu; /* as written; 0: not */
	bool has_mss;
	unsigned int mss; /* of CNI_MSS_FIXED */
};

cni_reader cni_read_address, cni_read_gateway, cni_read_family; /* address.c */
cni_reader cni_read_mss, cni_read_waive; /* link.c */
cni_reader cni_read_health, cni_read_track, cni_read_bgp; /* probes.c: into a target's health, track; a bgp */
void cni_finish_address(struct cni_resolver *r, struct cni_draft *draft);
/* Begins a list of targets, in which each may stand once; cni_mark() says whether it is the first time. */
static inline void cni_mark_none(struct cni_resolver *r)
{
	r->mark++;
}

static inline bool cni_mark(struct cni_resolver *r, size_t target)
{
	bool first = r->marks[target] != r->mark;

	r->marks[target] = r->mark;
	return first;
}

/* MTU as written or `mtu`; MSS by mode, clamped without being asked where `clamp`. */
void cni_finish_mss(struct cni_draft *draft, unsigned int mtu, bool clamp);
void cni_finish_track(struct cni_resolver *r, struct cni_target *target);
void cni_resolve_lans(struct cni_resolver *r);
void cni_resolve_links(struct cni_resolver *r);
void cni_resolve_tunnels(struct cni_resolver *r);

/* ---- policies ---- */

void cni_resolve_match(struct cni_resolver *r, const struct cni_ast_match *ast, struct cni_match *match);
void cni_resolve_path(struct cni_resolver *r, const struct cni_ast_path *ast, struct cni_path *path);
void cni_resolve_policies(struct cni_resolver *r);
void cni_resolve_expects(struct cni_resolver *r);
void cni_resolve_options(struct cni_resolver *r);

/* Whether `decl` owns its name in `names`: a second declaration is read for its mistakes only. */
static inline bool cni_owns(const struct cni_names *names, const struct cni_ast_decl *decl)
{
	return cni_names_find(names, decl->name.text)->owner == decl;
}

#endif
