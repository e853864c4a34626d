/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meta.h - a revision's meta.json:
 *
 *	{ "cnic": "revision", "version": 1, "number", "time", "deadline", "user", "message", "digest", "removed",
 *	  "proven", "proof_ms", "tops": [ { "path" } ], "paths": [ { "path", "text" } ], "texts": [ { "size" } ], "sets": [ { "set" } ] }
 *
 * What is 0, false or not there is left out. A text that is no UTF-8, which JSON cannot hold, stands in hexadecimal
 * under its key with "_hex" behind it: a path must lead to its text again, byte by byte. */
#ifndef RT_META_H
#define RT_META_H

#include "compiler/text.h"
#include "runtime/store/store.h"

#define RT_META_MAX ((size_t)64 << 20) /* bytes */
#define RT_TEXT_MAX ((size_t)1 << 30) /* bytes, as of a file that is loaded */
#define RT_TEXTS_MAX 4096u /* as of one load */

/* False: no memory. */
bool rt_meta_write(struct cni_text *out, const struct rt_revision *revision);

/* Fills `revision`, the texts' sizes but not their bytes. NULL; or what is wrong with it. */
const char *rt_meta_read(struct cni_arena *arena, const char *text, size_t len, struct rt_revision *revision);

#endif
