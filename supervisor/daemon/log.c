/* SPDX-License-Identifier: GPL-2.0-or-later */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include "daemon/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

/* systemd says in JOURNAL_STREAM which file stderr was when it started us. */
static bool journal_listens(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat status;

	if (!stream || sscanf(stream, "%llu:%llu", &device, &inode) != 2)
		return false;
	return fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device &&
	       status.st_ino == inode;
}

/* A name with a line break must not look like two messages. */
static void print_line(char *message)
{
	for (char *c = message; *c; c++)
		if ((unsigned char)*c < ' ')
			*c = ' ';
	fprintf(stderr, "kvmwardd: %s\n", message);
}

void kw_log(int priority, const char *format, ...)
{
	char message[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	if (journal_listens())
		sd_journal_send("MESSAGE=%s", message, "PRIORITY=%i", priority, NULL);
	else
		print_line(message);
}

void kw_log_guest(int priority, const char *uuid, const char *format, ...)
{
	char message[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	if (journal_listens())
		sd_journal_send("MESSAGE=%s", message, "PRIORITY=%i", priority, "DOMAIN_UUID=%s",
				uuid, NULL);
	else
		print_line(message);
}

void kw_log_verdict(int priority, const char *uuid, enum kw_code code, const char *format, ...)
{
	char message[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	if (journal_listens())
		sd_journal_send("MESSAGE=%s", message, "PRIORITY=%i", priority, "DOMAIN_UUID=%s",
				uuid, "KVMWARD_CODE=%s", kw_code_name(code), NULL);
	else
		print_line(message);
}
