/* SPDX-License-Identifier: GPL-2.0-or-later */
/* traffic.h - what the sources of `traffic` share: packets for laboratories of network namespaces. */
#ifndef TRAFFIC_H
#define TRAFFIC_H

#include <stddef.h>
#include <stdint.h>

/* Ends the program with the name of what failed and errno's text. */
_Noreturn void die(const char *what);

/* Goes on in a child without the caller's terminal; the parent ends with 0: whoever called us knows that all
 * sockets are open. */
void into_background(void);

/* watch.c: describes every packet of the namespace in a line of `file`; does not return. */
_Noreturn void watch(const char *file);

/* icmp.c: sends one echo packet; `device` is the name of a tunnel, which is sent into whatever the route says, or
 * "-": as routed. */
void send_echo(const char *device, const char *source, const char *destination, int reply, unsigned int id);

#endif
