/* SPDX-License-Identifier: GPL-2.0-or-later */
/* track.h - what the tracker knows of its targets, and how it tells of a change: what it shares with those who show it
 * (sockets, metrics, hooks, the journal). Times are nanoseconds of CLOCK_MONOTONIC, unless they say otherwise. */
#ifndef RT_TRACK_H
#define RT_TRACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler/ip.h"

enum rt_track_state {
	RT_TRACK_UNKNOWN, /* no answer and no failure that counts yet: as the kernel had it */
	RT_TRACK_UP,
	RT_TRACK_DOWN,
	RT_TRACK_N_STATES
};

enum rt_track_reason { /* of the last change */
		       RT_TRACK_START, /* nothing changed since the tracker came */
		       RT_TRACK_ANSWERS, /* `up` answers in a row */
		       RT_TRACK_PEER, /* the peer failed `down` times in a row */
		       RT_TRACK_BEYOND, /* every target beyond the peer did */
		       RT_TRACK_LOSS, /* more loss than `loss` allows */
		       RT_TRACK_SILENT, /* passive: bytes were sent and none received */
		       RT_TRACK_CARRIER, /* the device lost its carrier, or was set down */
		       RT_TRACK_DEVICE, /* there is no such device */
		       RT_TRACK_ADDRESS, /* our address on it is gone */
		       RT_TRACK_N_REASONS
};

/* One address that is probed for a link or tunnel. */
struct rt_track_probe {
	struct cni_addr target;
	bool is_peer; /* else it lies beyond */
	enum rt_track_state state; /* the verdict on it alone */
	bool up; /* the last probe was answered */
	unsigned int in_a_row; /* answers (up), or failures, since the last of the other kind */
	uint64_t n_sent, n_answered, n_lost;
	uint64_t
		n_refused; /* that bear its id and are no answers: wrong sequence, source, device or cookie, cut short, twice */
	uint64_t n_late; /* behind their time */
	/* over the window: `loss over`, or the last 60 s */
	unsigned int window_sent, window_lost;
	uint64_t rtt_min, rtt_mean, rtt_max, rtt_last; /* ns; 0: no answer in the window */
	uint64_t jitter; /* ns; RFC 3550, 6.4.1, of round trips */
};

/* A link or tunnel with `track`. */
struct rt_track_view {
	const char *name, *device;
	enum rt_track_state state;
	enum rt_track_reason reason;
	int64_t since; /* of `state`: seconds since 1970, UTC */
	bool held; /* it would change, but for `hold` or for flapping */
	unsigned int flaps; /* changes since the tracker came */
	const struct rt_track_probe *probes;
	size_t n_probes;
};

struct rt_track_event {
	int64_t time_ms; /* since 1970, UTC */
	const struct rt_track_view *target; /* as it is now */
	enum rt_track_state before;
	uint64_t took; /* ns from the decision until the kernel had acknowledged it; 0: it was asked for nothing */
	unsigned int n_routes; /* that were changed for it */
	unsigned int n_flows; /* whose conntrack entries were changed or removed */
	int error; /* -errno of the kernel's refusal; 0: done */
};

/* "up", "carrier": as JSON, metrics and texts have them */
extern const char *const rt_track_state_words[RT_TRACK_N_STATES];
extern const char *const rt_track_reason_words[RT_TRACK_N_REASONS];

#endif
