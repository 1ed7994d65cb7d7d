/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "cli/command.h"
#include "cli/json.h"
#include "cli/message.h"
#include "cli/paragraph.h"
#include "cli/table.h"

static struct json_object *code_json(enum kw_code code)
{
	struct json_object *to = json_object_new_object();

	json_object_object_add(to, "code", kw_json_text(kw_code_name(code)));
	json_object_object_add(to, "meaning", kw_json_text(kw_code_meaning(code)));
	json_object_object_add(to, "remedy", kw_json_text(kw_code_remedy(code)));
	return to;
}

static void print_code(enum kw_code code)
{
	size_t width = kw_terminal_width(stdout);

	kw_paragraph_labelled(stdout, "code", 9, width, kw_code_name(code));
	kw_paragraph_labelled(stdout, "meaning", 9, width, kw_code_meaning(code));
	kw_paragraph_labelled(stdout, "remedy", 9, width, kw_code_remedy(code));
}

static enum kw_exit show_one(const char *name, bool json)
{
	enum kw_code code;

	if (kw_code_find(name, &code)) {
		kw_message("verdicts: there is no code '%s'; 'kvmward verdicts' lists them", name);
		return KW_EXIT_USAGE;
	}
	if (json)
		kw_json_print(code_json(code), false);
	else
		print_code(code);
	return KW_EXIT_DONE;
}

static void print_all_json(void)
{
	struct json_object *to = json_object_new_object(), *list = json_object_new_array();

	for (enum kw_code code = 0; code < KW_CODE_COUNT; code++)
		json_object_array_add(list, code_json(code));
	json_object_object_add(to, "verdicts", list);
	kw_json_print(to, false);
}

static enum kw_exit print_all(void)
{
	static const struct kw_column columns[] = {
		{ .title = "CODE" },
		{ .title = "MEANING", .least = 20 },
	};
	_cleanup_(kw_table_destroy_at) struct kw_table *table = kw_table_create(columns, 2);

	for (enum kw_code code = 0; table && code < KW_CODE_COUNT; code++) {
		kw_table_text(table, kw_code_name(code));
		kw_table_text(table, kw_code_meaning(code));
	}
	if (!table || kw_table_print(table, stdout, kw_terminal_width(stdout))) {
		kw_message("out of memory");
		return KW_EXIT_FAILED;
	}
	return KW_EXIT_DONE;
}

static enum kw_exit run(const struct kw_command *self, int argc, char **argv)
{
	bool json = false;
	const struct kw_option options[] = {
		{ .name = "json", .help = "print JSON", .flag = &json },
	};
	enum kw_exit done;
	int first;

	if (!kw_options_read(self, options, 1, argc, argv, &first, &done))
		return done;
	if (first < argc)
		return show_one(argv[first], json);
	if (!json)
		return print_all();
	print_all_json();
	return KW_EXIT_DONE;
}

const struct kw_command kw_command_verdicts = {
	.name = "verdicts",
	.arguments = "[CODE]",
	.summary = "Explain the codes that refusals carry",
	.help = "With CODE: what it means and what to do about it. Codes are stable; they "
		"are also in kvmward-verdicts(7).",
	.examples = "  kvmward verdicts\n"
		    "  kvmward verdicts slot-full\n",
	.most = 1,
	.run = run,
};
