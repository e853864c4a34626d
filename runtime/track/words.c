/* SPDX-License-Identifier: GPL-2.0-or-later */
/* words.c - see track.h. */
#include "runtime/track/track.h"

const char *const rt_track_state_words[RT_TRACK_N_STATES] = {
	[RT_TRACK_UNKNOWN] = "unknown", [RT_TRACK_UP] = "up", [RT_TRACK_DOWN] = "down"
};

const char *const rt_track_reason_words[RT_TRACK_N_REASONS] = {
	[RT_TRACK_START] = "start",	[RT_TRACK_ANSWERS] = "answers", [RT_TRACK_PEER] = "peer",
	[RT_TRACK_BEYOND] = "beyond",	[RT_TRACK_LOSS] = "loss",	[RT_TRACK_SILENT] = "silent",
	[RT_TRACK_CARRIER] = "carrier", [RT_TRACK_DEVICE] = "device",	[RT_TRACK_ADDRESS] = "address",
};
