/* SPDX-License-Identifier: GPL-2.0-or-later */
/* arena.h - the one memory regime of grammar/ and compiler/: blocks that grow and are freed together.
 *
 * Nothing allocated here is freed by itself; a compilation owns one arena and drops it whole. Allocation
 * never returns NULL: when memory (or the arena's limit) is used up, the arena's `oom` jump is not a longjmp
 * but a call of abort(); the runtime bounds its inputs (see runtime/load.h) so that this is not met. */
#ifndef CNI_ARENA_H
#define CNI_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct cni_arena;

struct cni_arena *cni_arena_new(void); /* owned by the caller: cni_arena_free() */
void cni_arena_free(struct cni_arena *arena); /* NULL is allowed */
/* Frees what was allocated and keeps a block for what comes: of use where there are very many small tasks. */
void cni_arena_clear(struct cni_arena *arena);

/* Zeroed memory of `size` bytes, aligned for any type, alive as long as the arena. */
void *cni_alloc(struct cni_arena *arena, size_t size);
/* A copy with room for `new_size` bytes; the old block stays until the arena goes. */
void *cni_regrow(struct cni_arena *arena, const void *old, size_t old_size, size_t new_size);
char *cni_strndup(struct cni_arena *arena, const char *text, size_t len);
char *cni_strdup(struct cni_arena *arena, const char *text);
char *cni_printf(struct cni_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *cni_vprintf(struct cni_arena *arena, const char *format, va_list args);

#define cni_new(arena, type) ((type *)cni_alloc((arena), sizeof(type)))
#define cni_new_array(arena, type, n) ((type *)cni_alloc((arena), sizeof(type) * (n)))

/* A vector is a pointer and a count beside each other in a struct: `struct x *items; size_t n_items;`.
 * cni_push() gives the next, zeroed place; the capacity is derived from the count, by cni_room(). */
size_t cni_room(size_t n);
void *cni_push_(struct cni_arena *arena, void **items, size_t *n, size_t size);
#define cni_push(arena, items, n) ((__typeof__(items))cni_push_((arena), (void **)&(items), &(n), sizeof(*(items))))

#endif
