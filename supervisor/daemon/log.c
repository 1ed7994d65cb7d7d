/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/datagram.h"

#ifndef KW_JOURNAL
#define KW_JOURNAL "/run/systemd/journal/socket"
#endif

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

/* Fields are lines "NAME=value". Source: systemd's JOURNAL_NATIVE_PROTOCOL. */
static bool send_to_journal(int priority, const char *fields, const char *message)
{
	char text[2048];

	snprintf(text, sizeof(text), "SYSLOG_IDENTIFIER=kvmwardd\nPRIORITY=%d\n%sMESSAGE=%s\n",
		 priority, fields, message);
	return !kw_datagram_send(KW_JOURNAL, text);
}

/* A journal that is behind loses lines rather than that anybody waits for it. */
static void tell_journal(int priority, const char *fields, const char *message)
{
	static unsigned int lost;
	char words[80];

	if (lost) {
		snprintf(words, sizeof(words), "%u lines were lost: the journal took none", lost);
		if (send_to_journal(LOG_WARNING, "", words))
			lost = 0;
	}
	if (lost || !send_to_journal(priority, fields, message))
		lost++;
}

/* A name with a line break must not look like two messages. */
static void tell(int priority, const char *fields, const char *format, va_list args)
{
	char message[1024];

	vsnprintf(message, sizeof(message), format, args);
	for (char *c = message; *c; c++)
		if ((unsigned char)*c < ' ')
			*c = ' ';
	if (journal_listens())
		tell_journal(priority, fields, message);
	else
		fprintf(stderr, "kvmwardd: %s\n", message);
}

void kw_log(int priority, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tell(priority, "", format, args);
	va_end(args);
}

void kw_log_guest(int priority, const char *uuid, const char *format, ...)
{
	char fields[128];
	va_list args;

	snprintf(fields, sizeof(fields), "DOMAIN_UUID=%s\n", uuid);
	va_start(args, format);
	tell(priority, fields, format, args);
	va_end(args);
}

void kw_log_verdict(int priority, const char *uuid, enum kw_code code, const char *format, ...)
{
	char fields[128];
	va_list args;

	snprintf(fields, sizeof(fields), "DOMAIN_UUID=%s\nKVMWARD_CODE=%s\n", uuid,
		 kw_code_name(code));
	va_start(args, format);
	tell(priority, fields, format, args);
	va_end(args);
}
