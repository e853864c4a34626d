/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wanted.h - what the model says that a kernel will do with one packet, and whether it did. */
#ifndef RT_TWIN_WANTED_H
#define RT_TWIN_WANTED_H

#include "compiler/meaning/compare.h"
#include "runtime/twin/seen.h"

struct rt_twin_option { /* what is NULL is not looked at; addresses are texts, as in a fate */
	const char *device; /* NULL: by main */
	const char *hop;
	const char *source; /* "": any but the packet's own */
	unsigned int mss; /* of a SYN; 0: not looked at */
	const char *over; /* of the outer packet, first choice first: "eth1 by 192.0.2.10 then eth3 by …" */
};

struct rt_twin_wanted {
	const char *untried; /* why nothing is said of it, then nothing else is set; NULL */
	enum rt_twin_end end;
	bool may_be_silent; /* of REJECTED and HERE: there may be no answer to tell it by */
	struct rt_twin_option *options; /* of LEFT and BY_MAIN: one of these */
	size_t n_options;
};

/* One of the two sides of a comparison. */
struct rt_twin_question {
	const struct cni_model *model; /* NULL: none */
	const struct cni_policy *policy; /* NULL: none */
	const struct cni_fate *fate;
	unsigned int label; /* that decides */
	const char *device; /* that the packet comes in by, or "local" */
	const struct cni_header *packet;
	const bool *down; /* by target of the model */
};

struct rt_twin_wanted rt_twin_wanted(struct cni_arena *arena, const struct rt_twin_question *question);

/* NULL: as wanted. Else what was wanted instead. */
const char *rt_twin_judge(struct cni_arena *arena, const struct rt_twin_wanted *wanted, const struct cni_header *packet,
			  const struct rt_twin_seen *seen);

/* "by eth1 to 192.0.2.10, from 198.51.100.2, mss 1436", "dropped"; `packet` as it was sent. */
const char *rt_twin_describe(struct cni_arena *arena, const struct cni_header *packet, const struct rt_twin_seen *seen);

#endif
