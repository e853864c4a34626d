/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flows.h - flows in conntrack without any packets: with marks of every epoch, so that each flip finds some to forget. */
#ifndef FAULT_FLOWS_H
#define FAULT_FLOWS_H

/* Makes them, or sets their marks again. Bails out. */
void flows_plant(void);

#endif
