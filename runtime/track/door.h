/* SPDX-License-Identifier: GPL-2.0-or-later */
/* door.h - the socket by which the tracker is asked: /run/cnic/track.sock, or /run/cnic/netns/NAME/track.sock for a
 * namespace that ip-netns(8) knows; a stream, for root and the tracker's own user (mode 0600).
 *
 * Who comes gets a line of state (json.h). Who then writes "watch\n" gets a line for each event, and one of state each
 * second; nothing else is understood. Nobody is waited for: a reader is cut off that leaves RT_TRACK_BACKLOG bytes
 * unread, or has taken nothing for RT_TRACK_PATIENCE seconds; who is behind gets no new state before it has caught up.
 * Who does not watch is shown out after as long. */
#ifndef RT_TRACK_DOOR_H
#define RT_TRACK_DOOR_H

#include "runtime/track/copy.h"

#define RT_TRACK_READERS_MAX 32
#define RT_TRACK_BACKLOG (4u << 20)
#define RT_TRACK_PATIENCE 10

struct rt_track_door;

/* Of the calling thread's namespace; NULL where it has none. 0, or -errno and what could not be looked at. */
int rt_track_door_path(struct cni_arena *arena, const char **path, const char **unreadable);

/* Takes the place of a socket that a killed tracker left: whoever calls holds the tracker's lock. 0 or -errno; *door, where
 * it is not NULL, is to be closed and freed in either case. */
int rt_track_door_open(struct rt_track_door **door, uv_loop_t *loop, const char *path,
		       const struct rt_track_look *look);
void rt_track_door_event(struct rt_track_door *door, const struct rt_track_event *event);
uint64_t rt_track_door_cut_off(const struct rt_track_door *door); /* how many were */
void rt_track_door_close(struct rt_track_door *door); /* and the socket's name goes */
void rt_track_door_free(struct rt_track_door *door); /* once the loop has closed all; NULL is allowed */

#endif
