// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a method costs beside others. In each round every method has its turn,
 * so that what disturbs the machine disturbs them alike; a quick one runs for
 * MOMENT_NS and gives its mean. The ratio of two methods is taken round by
 * round, and of the ratios the median is told, as of the times.
 */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "method.h"

#define MOMENT_NS 50000000ull
#define METHODS_MAX 8
#define ROUNDS_MAX 101

#define ARRAY_SIZE(array) (sizeof(array) / sizeof(*(array)))

static const struct method *const known[] = {
	&method_dump, &method_slots, &method_walk, &method_walk_facts, &method_find,
	&method_debugfs_list, &method_debugfs,
	&method_domstats, &method_exporter, &method_guests, &method_metrics, &method_virsh,
	&method_empty, &method_hook, &method_hook_help, &method_look, &method_spin,
};

struct measure {
	const struct method *method;
	struct method_result result;		/* of the last run */
	double ns[ROUNDS_MAX], ratio[ROUNDS_MAX];	/* by round */
};

static unsigned long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static const struct method *method_named(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcmp(known[i]->name, name))
			return known[i];
	return NULL;
}

static int measure_once(struct measure *measure, unsigned int round)
{
	unsigned long long begin = now_ns(), spent = 0;
	unsigned int runs = 0;
	int ret = 0;

	while (!ret && spent < MOMENT_NS) {
		ret = measure->method->run(&measure->result);
		spent = now_ns() - begin;
		runs++;
	}
	if (!ret)
		measure->ns[round] = (double)spent / runs;
	return ret;
}

static int round_run(struct measure *measures, unsigned int count, unsigned int round)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		struct measure *measure = &measures[(i + round) % count];
		int ret = measure_once(measure, round);

		if (ret) {
			fprintf(stderr, "cost: %s: %s\n", measure->method->name, strerror(-ret));
			return ret;
		}
	}
	for (i = 0; i < count; i++)
		measures[i].ratio[round] = measures[i].ns[round] / measures[0].ns[round];
	return 0;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, unsigned int count)
{
	qsort(values, count, sizeof(*values), compare);
	return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static void number_print(const char *name, uint64_t value)
{
	if (value != METHOD_UNKNOWN)
		printf(" %s=%llu", name, (unsigned long long)value);
}

static void measure_print(struct measure *measure, unsigned int rounds)
{
	printf("method=%s", measure->method->name);
	number_print("guests", measure->result.guests);
	number_print("calls", measure->result.calls);
	number_print("bytes", measure->result.bytes);
	printf(" us=%.3f ratio=%.3f\n", median(measure->ns, rounds) / 1000,
	       median(measure->ratio, rounds));
}

static int forever(const struct method *method)
{
	struct method_result result;
	int ret = 0;

	puts("ready");
	fflush(stdout);
	while (!ret)
		ret = method->run(&result);
	fprintf(stderr, "cost: %s: %s\n", method->name, strerror(-ret));
	return 1;
}

static void usage(FILE *to)
{
	unsigned int i;

	fputs("usage: cost [-r ROUNDS] METHOD...\n"
	      "       cost -f METHOD\n"
	      "Measures methods of learning which guests there are, in turn, ROUNDS (7) times.\n"
	      "-f: over and over, until killed.\n"
	      "Methods:", to);
	for (i = 0; i < ARRAY_SIZE(known); i++)
		fprintf(to, " %s", known[i]->name);
	fputs("\nPrints for each: guests and bytes found, system calls, the median of its time,\n"
	      "and the median of its ratio to the first. Exit status: 0 measured; 1 not; 2 usage.\n",
	      to);
}

static unsigned int methods_open(struct measure *measures, int argc, char **argv)
{
	unsigned int count = 0;

	for (; argc && count < METHODS_MAX; argc--, argv++, count++) {
		const struct method *method = method_named(*argv);
		int ret = method ? method->setup() : -EINVAL;

		if (ret) {
			fprintf(stderr, "cost: %s: %s\n", *argv, strerror(-ret));
			exit(method ? 1 : 2);
		}
		measures[count].method = method;
	}
	return count;
}

int main(int argc, char **argv)
{
	static struct measure measures[METHODS_MAX];
	unsigned int rounds = 7, count, i;
	bool endless = false;
	int c;

	while ((c = getopt(argc, argv, "r:fh")) != -1) {
		switch (c) {
		case 'r': rounds = atoi(optarg); break;
		case 'f': endless = true; break;
		default: usage(c == 'h' ? stdout : stderr); return c == 'h' ? 0 : 2;
		}
	}
	if (optind == argc || rounds < 1 || rounds > ROUNDS_MAX) {
		usage(stderr);
		return 2;
	}
	count = methods_open(measures, argc - optind, argv + optind);
	if (endless)
		return forever(measures[0].method);
	for (i = 0; i < rounds; i++)
		if (round_run(measures, count, i))
			return 1;
	for (i = 0; i < count; i++)
		measure_print(&measures[i], rounds);
	return 0;
}
