/* SPDX-License-Identifier: GPL-2.0-or-later */
/* values.c - one value at a time: its kind, its range, its unit; and lists of them with variables put in. */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "compiler/resolve/resolve.h"

#define VALUE_COST 128 /* bytes: an item and the range that it becomes, each in a vector that has doubled */
#define IFNAME_MAX 15 /* IFNAMSIZ is 16, with the NUL */

static const char *const kind_names[] = {
	[CNI_VALUE_WORD] = "a word",
	[CNI_VALUE_STRING] = "a quoted string",
	[CNI_VALUE_VAR] = "a variable",
	[CNI_VALUE_NUMBER] = "a number",
	[CNI_VALUE_DURATION] = "a duration",
	[CNI_VALUE_PERCENT] = "a percentage",
	[CNI_VALUE_ADDR] = "an address",
	[CNI_VALUE_PREFIX] = "a prefix",
	[CNI_VALUE_RANGE] = "a range of addresses",
	[CNI_VALUE_LIST] = "a list",
	[CNI_VALUE_FILE] = "a file",
};

struct cni_diag *cni_bad_value(struct cni_resolver *r, enum cni_code code, const struct cni_item *item,
			       const char *format, ...)
{
	struct cni_diag *d;
	va_list args;

	va_start(args, format);
	d = cni_diag(r->diags, code, item->use->span, "%s", cni_vprintf(r->arena, format, args));
	va_end(args);
	if (item->use != item->value && cni_span_is_set(item->value->span))
		cni_diag_related(r->diags, d, item->value->span, "the value comes from here");
	return d;
}

struct cni_diag *cni_wrong_kind(struct cni_resolver *r, const struct cni_item *item, const char *what,
				const char *wanted)
{
	return cni_bad_value(r, CNI123, item, "%s takes %s, not %s", what, wanted, kind_names[item->value->kind]);
}

struct list {
	struct cni_item *items;
	size_t n;
};

static void flatten(struct cni_resolver *r, const struct cni_ast_value *values, enum cni_separator separator,
		    const struct cni_ast_value *place, struct list *list)
{
	for (const struct cni_ast_value *v = values; v && cni_charge(r, v->span, VALUE_COST); v = v->next) {
		const struct cni_ast_value *value = cni_deref(r, v);

		if (v != values && separator != CNI_ANY && v->after_comma != (separator == CNI_COMMAS))
			cni_diag(r->diags, CNI127, v->span,
				 v->after_comma ? "no comma belongs before this" : "a comma is missing before this");
		if (!value)
			continue;
		if (value->kind == CNI_VALUE_LIST && separator != CNI_WORDS)
			/* what a variable's list holds is pointed at by the place of the variable */
			flatten(r, value->list, CNI_ANY, place ? place : value != v ? v : NULL, list);
		else
			*cni_push(r->arena, list->items, list->n) =
				(struct cni_item){ .use = place ? place : v, .value = value };
	}
}

size_t cni_items(struct cni_resolver *r, const struct cni_ast_value *values, enum cni_separator separator,
		 struct cni_item **items)
{
	struct list list = { 0 };

	flatten(r, values, separator, NULL, &list);
	*items = list.items;
	return list.n;
}

static bool in_range(struct cni_resolver *r, const struct cni_item *item, const char *what, enum cni_code code,
		     uint64_t lo, uint64_t hi, const char *unit)
{
	if (item->value->lo >= lo && item->value->lo <= hi)
		return true;
	cni_bad_value(r, code ? code : CNI124, item,
		      "%s goes from %" PRIu64 " to %" PRIu64 "%s, %" PRIu64 "%s is not in it", what, lo, hi, unit,
		      item->value->lo, unit);
	return false;
}

bool cni_value_number(struct cni_resolver *r, const struct cni_item *item, const char *what, enum cni_code code,
		      uint64_t lo, uint64_t hi, uint64_t *out)
{
	if (item->value->kind != CNI_VALUE_NUMBER || item->value->lo != item->value->hi) {
		if (item->value->kind == CNI_VALUE_NUMBER)
			cni_bad_value(r, CNI123, item, "%s takes one number, not a range", what);
		else
			cni_wrong_kind(r, item, what, "a number");
		return false;
	}
	if (!in_range(r, item, what, code, lo, hi, ""))
		return false;
	*out = item->value->lo;
	return true;
}

bool cni_value_duration(struct cni_resolver *r, const struct cni_item *item, const char *what, uint64_t lo, uint64_t hi,
			uint64_t *out)
{
	if (item->value->kind != CNI_VALUE_DURATION) {
		cni_wrong_kind(r, item, what, "a duration (`500ms`, `1s`, `2m`)");
		return false;
	}
	if (!in_range(r, item, what, CNI124, lo, hi, " ms"))
		return false;
	*out = item->value->lo;
	return true;
}

bool cni_value_span(struct cni_resolver *r, const struct cni_item *item, const char *what, uint64_t max, uint64_t *lo,
		    uint64_t *hi)
{
	const struct cni_ast_value *v = item->value;

	if (v->kind != CNI_VALUE_NUMBER) {
		cni_wrong_kind(r, item, what, "numbers");
		return false;
	}
	if (v->lo > max || v->hi > max) {
		cni_bad_value(r, CNI124, item, "%s goes from 0 to %" PRIu64 ", %" PRIu64 " is not in it", what, max,
			      v->lo > max ? v->lo : v->hi);
		return false;
	}
	if (v->lo > v->hi) {
		struct cni_diag *d = cni_bad_value(r, CNI131, item, "the range ends before it begins");

		cni_diag_help(r->diags, d, "write %" PRIu64 "-%" PRIu64, v->hi, v->lo);
	}
	*lo = v->lo < v->hi ? v->lo : v->hi;
	*hi = v->lo < v->hi ? v->hi : v->lo;
	return true;
}

bool cni_value_addr(struct cni_resolver *r, const struct cni_item *item, const char *what, struct cni_addr *out)
{
	if (item->value->kind != CNI_VALUE_ADDR) {
		cni_wrong_kind(r, item, what, "an address");
		return false;
	}
	*out = item->value->prefix.addr;
	return true;
}

bool cni_is_word(const struct cni_item *item, const char *word)
{
	return item->value->kind == CNI_VALUE_WORD && !strcmp(item->value->text, word);
}

void cni_unknown_word(struct cni_resolver *r, const struct cni_item *item, const char *what,
		      const struct cni_word *words)
{
	struct cni_diag *d = cni_bad_value(r, CNI125, item, "%s does not know `%s`", what, item->value->text);
	const char **list = NULL, *nearest, *all = NULL;
	size_t n = 0;

	for (const struct cni_word *w = words; w->name; w++) {
		*cni_push(r->arena, list, n) = w->name;
		all = all ? cni_printf(r->arena, "%s, %s", all, w->name) : w->name;
	}
	*cni_push(r->arena, list, n) = NULL;
	nearest = cni_did_you_mean(item->value->text, list);
	if (nearest)
		cni_diag_help(r->diags, d, "did you mean `%s`?", nearest);
	else
		cni_diag_help(r->diags, d, "it is one of: %s", all);
}

bool cni_value_choice(struct cni_resolver *r, const struct cni_item *item, const char *what,
		      const struct cni_word *words, uint64_t *out)
{
	if (item->value->kind != CNI_VALUE_WORD) {
		cni_wrong_kind(r, item, what, "a word");
		return false;
	}
	for (const struct cni_word *w = words; w->name; w++)
		if (!strcmp(w->name, item->value->text)) {
			*out = w->value;
			return true;
		}
	cni_unknown_word(r, item, what, words);
	return false;
}

bool cni_value_word(struct cni_resolver *r, const struct cni_item *item, const char *what, const char **out)
{
	if (item->value->kind != CNI_VALUE_WORD) {
		cni_wrong_kind(r, item, what, "a name");
		return false;
	}
	*out = item->value->text;
	return true;
}

/* Stricter than dev_valid_name() of the kernel: also none of what nft and the shell would read otherwise. */
bool cni_check_ifname(struct cni_resolver *r, const char *name, struct cni_span span)
{
	size_t len = strlen(name);
	size_t fit = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+@=~,");

	if (!len || len > IFNAME_MAX)
		cni_diag(r->diags, CNI111, span, "`%s` has %zu characters; a network device's name has 1 to %d", name,
			 len, IFNAME_MAX);
	else if (fit < len)
		cni_diag(r->diags, CNI111, span, "a network device's name cannot hold `%c`", name[fit]);
	else if (!strcmp(name, ".") || !strcmp(name, ".."))
		cni_diag(r->diags, CNI111, span, "`%s` is no name of a network device", name);
	else
		return true;
	return false;
}

bool cni_value_device(struct cni_resolver *r, const struct cni_item *item, const char **out)
{
	if (item->value->kind != CNI_VALUE_WORD && item->value->kind != CNI_VALUE_STRING) {
		cni_wrong_kind(r, item, "`device`", "the name of a network device");
		return false;
	}
	if (!cni_check_ifname(r, item->value->text, item->use->span))
		return false;
	*out = item->value->text;
	return true;
}
