/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check.h - what the checks share: the context, what a check looks at, and where to point.
 *
 * A check looks at one subject (a link, a route, the whole model), reports what is wrong with it, and says whether
 * what it stands for holds. checks.def lists them all with their prerequisites; registry.c runs them. */
#ifndef CNI_CHECK_H
#define CNI_CHECK_H

#include "compiler/arena.h"
#include "compiler/model.h"

struct cni_checker {
	struct cni_arena *arena;
	const struct cni_model *model;
	struct cni_diags *diags;
};

enum cni_scope {
	CNI_PER_MODEL, /* once; the subject is empty */
	CNI_PER_LINK,
	CNI_PER_TUNNEL,
	CNI_PER_TARGET, /* links and tunnels */
	CNI_PER_ROUTE,
};

struct cni_subject {
	const struct cni_target *target;
	const struct cni_route *route;
};

/* False: does not hold (and has been reported), so that what depends on it is not worth looking at. */
typedef bool cni_check_fn(const struct cni_checker *c, const struct cni_subject *s);

#define CNI_CHECK(name, scope, needs) cni_check_fn cni_check_##name;
#include "compiler/check/checks.def"
#undef CNI_CHECK

/* ---- where to point (place.c) ---- */

/* A field's values; of a block its name; where it is not written, the declaration's name. */
struct cni_span cni_field_span(const struct cni_ast_decl *decl, const char *name);
/* The same of `inner` in `outer { inner … }`; where it is not written, of `outer`. */
struct cni_span cni_inner_span(const struct cni_ast_decl *decl, const char *outer, const char *inner);
bool cni_is_written(const struct cni_ast_decl *decl, const char *field);
/* The n-th value of a field that is the word `word`, from 0; else all of them. */
struct cni_span cni_word_span(const struct cni_ast_decl *decl, const char *field, const char *word, size_t n);
/* The n-th value of a field that is an address or prefix of that family; else all. */
struct cni_span cni_address_span(const struct cni_ast_decl *decl, const char *field, enum cni_family family);
/* The n-th member of a route's path; else the path. */
struct cni_span cni_member_span(const struct cni_route *route, size_t n);

/* ---- what many ask ---- */

static inline bool cni_is_link(const struct cni_target *target, enum cni_link_kind kind)
{
	return target->kind == CNI_TARGET_LINK && target->link.kind == kind;
}

/* An interconnect with the provider: what its documents call Express (later Direct) or Classic. */
static inline bool cni_is_interconnect(const struct cni_target *target)
{
	return cni_is_link(target, CNI_EXPRESS) || cni_is_link(target, CNI_CLASSIC);
}

static inline bool cni_toward_cloudflare(const struct cni_checker *c)
{
	return c->model->options.provider == CNI_PROVIDER_CLOUDFLARE;
}

/* The first link of that kind that carries the tunnel's outer packets; NULL: none. */
const struct cni_target *cni_over_kind(const struct cni_checker *c, const struct cni_target *tunnel,
				       enum cni_link_kind kind);
/* The n-th link of `over`. */
const struct cni_target *cni_over(const struct cni_checker *c, const struct cni_target *tunnel, size_t n);

#endif
