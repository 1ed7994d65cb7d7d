// SPDX-License-Identifier: GPL-2.0-or-later
/* The least that any command costs. */
int main(void)
{
	return 0;
}
