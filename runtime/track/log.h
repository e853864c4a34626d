/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log.h - changes as lines for people: in the journal with fields, by syslog, on standard error.
 *
 * The journal is written to where standard error is connected to it ($JOURNAL_STREAM, systemd.exec(5)), by its native
 * protocol (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/); syslog by RFC 3164 at /dev/log. Both are datagrams that are
 * dropped, and counted, where their reader does not keep up: sd_journal_send(3) and syslog(3) would wait for it, and
 * probes with them.
 *
 * Fields in the journal, beside MESSAGE, PRIORITY and SYSLOG_IDENTIFIER=cnic:
 *	MESSAGE_ID=33c8e91aaeed47b4a0af534780b056e0	a target's state changed
 *		CNIC_TARGET, CNIC_DEVICE, CNIC_BEFORE, CNIC_STATE, CNIC_REASON (words of track.h), CNIC_SWITCH_USEC,
 *		CNIC_ROUTES, CNIC_FLOWS; ERRNO where the kernel refused the change of routes
 *	MESSAGE_ID=a695dacc6d2846edb22dfcf9107de87a	a command of --on-change failed
 *		CNIC_TARGET, CNIC_STATE, EXIT_STATUS or EXIT_SIGNAL
 *
 * Priorities: down is a warning, up a notice, what the kernel refused an error, a failed command a warning. */
#ifndef RT_TRACK_LOG_H
#define RT_TRACK_LOG_H

#include "runtime/track/track.h"

#define RT_TRACK_NAME 65 /* room for a name of the language, 64 characters */
#define RT_TRACK_WORD 12 /* for a word of track.h */

struct rt_track_log {
	int journal, syslog; /* datagram sockets; -1: not used */
	bool verbose; /* all on standard error, unless that is the journal; else errors alone */
	bool quiet; /* nothing on standard error */
	uint64_t n_dropped;
};

/* 0 or -errno. */
int rt_track_log_open(struct rt_track_log *log, bool with_syslog, bool verbose, bool quiet);
void rt_track_log_close(struct rt_track_log *log);

void rt_track_log_event(struct rt_track_log *log, const struct rt_track_event *event);

/* What became of a command: `status` as of waitpid(2). */
struct rt_hook_end {
	char target[RT_TRACK_NAME], state[RT_TRACK_WORD]; /* that it was told of */
	int status;
	bool timed_out; /* and was killed for it */
	bool unstarted; /* it could not be run: status is errno */
};
void rt_track_log_hook(struct rt_track_log *log, const struct rt_hook_end *end);

/* Of what is shown itself: "the runner of hooks has ended". An error. */
void rt_track_log_say(struct rt_track_log *log, const char *message);

#endif
