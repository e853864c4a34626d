/* SPDX-License-Identifier: GPL-2.0-or-later */
/* air.h - packets into a lab, one at a time, and what comes out. */
#ifndef RT_TWIN_AIR_H
#define RT_TWIN_AIR_H

#include "runtime/twin/lab.h"
#include "runtime/twin/packet.h"
#include "runtime/twin/seen.h"

struct rt_twin_air {
	const struct rt_twin_lab *lab;
	int link; /* sees all devices, and sends into ports */
	int raw[CNI_N_FAMILIES]; /* of the router itself */
	uint32_t marker; /* of the last frame that says "all before me is through" */
};

struct rt_twin_job {
	struct cni_header packet;
	const char *device; /* that it comes in by, or "local" */
	bool may_be_silent; /* else silence is asked about again */
};

/* -errno. */
int rt_twin_air_open(struct rt_twin_air *air, const struct rt_twin_lab *lab);
void rt_twin_air_close(struct rt_twin_air *air);

/* Sends the packet as a flow's first; silence that should not be is believed after the third. 0, or -errno where it
 * could not be sent, or did not come in. */
int rt_twin_ask(struct rt_twin_air *air, const struct rt_twin_job *job, uint16_t tag, struct rt_twin_seen *seen);

#endif
