/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bird.h - what is to be spoken by BGP for outer packets: sessions, and what each tunnel's end wants of them. */
#ifndef CNI_EMIT_BIRD_H
#define CNI_EMIT_BIRD_H

#include "compiler/model.h"
#include "compiler/state.h"

/* A session with a link's peer, in one family. */
struct bird_session {
	const struct cni_target *link;
	size_t index; /* of the link in the model */
	enum cni_family family;
};

/* Tunnels that end at one address: their outer packets share a kernel table, and so the links and their order. */
struct bird_end {
	struct cni_addr local;
	bool announced; /* a link's own address is not: its peer has it on the wire */
	/* The far side probes from its public addresses, not from `remote`, and is answered outside the tunnels: all that a
	 * peer announces is wanted. */
	bool wide;
	const struct cni_target **tunnels;
	size_t n_tunnels;
	const size_t *over; /* link indices, in order of preference */
	size_t n_over;
	uint32_t table; /* the kernel's */
};

struct bird {
	struct bird_session *sessions; /* by link, then family */
	size_t n_sessions;
	struct bird_end *ends; /* by their first tunnel */
	size_t n_ends;
	uint32_t router_id;
};

/* `state` is what the model was lowered to: it has the numbers of tables. */
struct bird bird_collect(struct cni_arena *arena, const struct cni_model *model, const struct cni_state *state);

/* The link's place in the end's order, from 0; CNI_NONE: the end does not use it. */
size_t bird_rank(const struct bird_end *end, const struct bird_session *session);

#endif
