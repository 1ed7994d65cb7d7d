/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/picture.h"

#include <inttypes.h>
#include <stdio.h>

static void print_number(FILE *out, struct kw_u32 number)
{
	if (number.known)
		fprintf(out, "%" PRIu32, number.value);
	else
		fputc('?', out);
}

static void print_slots(FILE *out, const struct kw_slot_table *table)
{
	if (!table->known) {
		fputs("slots not known", out);
		return;
	}
	for (enum kw_pool pool = 0; pool < KW_POOL_COUNT; pool++) {
		if (!kw_pool_exists(pool, table->snp_apart))
			continue;
		fprintf(out, "%s%s ", pool ? ", " : "", kw_pool_title(pool, table->snp_apart));
		print_number(out, kw_slots_taken(&table->pool[pool]));
		fputs(" of ", out);
		print_number(out, table->pool[pool].capacity);
	}
	fputs(" slots taken", out);
}

static void print_guests(FILE *out, const struct kw_guest_list *list)
{
	fprintf(out, "guests %s\n", list->known ? "known" : "not known");
	for (size_t i = 0; i < list->count; i++) {
		const struct kw_guest *guest = &list->guests[i];

		fprintf(out, "%d %" PRIu64 " %d%d %s %s ", guest->pid, guest->start_time_ns.value,
			guest->mirror, guest->orphan, guest->uuid, guest->name);
		print_number(out, guest->type);
		fputc(' ', out);
		print_number(out, guest->asid);
		fputc('\n', out);
	}
}

static void print_holds(FILE *out, const struct kw_hold_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		fprintf(out, "%s %d %" PRIu64 " %d\n", list->holds[i].claim.uuid,
			list->holds[i].pid, list->holds[i].taken_ns, list->holds[i].differs);
}

void kw_picture_slots(const struct kw_slot_table *slots, char *to, size_t to_size)
{
	FILE *out = fmemopen(to, to_size, "w");

	to[0] = '\0';
	if (!out)
		return;
	print_slots(out, slots);
	fclose(out);
}

char *kw_picture_draw(const struct kw_facts *facts, const struct kw_hold_list *holds)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fprintf(out, "%s\n", facts->reason);
	print_slots(out, &facts->slots);
	print_guests(out, &facts->guests);
	print_holds(out, holds);
	fclose(out);
	return text;
}
