# SPDX-License-Identifier: GPL-2.0-or-later
# kvmward: every job a person does. 'make help' lists them.

KVER ?= $(shell uname -r)
O ?= $(CURDIR)/build
KERNELS ?= 6.1 6.12 sid
BENCH_KERNEL ?= 6.12
JOBS ?= $(shell nproc)

all: ## build the module for this kernel and the supervisor
	$(MAKE) -C kmod O=$(O)/kmod KVER=$(KVER)
	$(MAKE) -C supervisor O=$(O)/supervisor

install: ## install what 'all' has built, the module for this kernel only; DESTDIR= for packagers
	$(MAKE) -C kmod install O=$(O)/kmod KVER=$(KVER) DESTDIR=$(DESTDIR)
	$(MAKE) -C supervisor install O=$(O)/supervisor DESTDIR=$(DESTDIR)
	$(MAKE) -C uapi install DESTDIR=$(DESTDIR)

dkms: ## have DKMS build the module for this kernel and those to come: it survives upgrades
	$(MAKE) -C kmod dkms KVER=$(KVER) DESTDIR=$(DESTDIR)

uninstall: ## remove what 'install' and 'dkms' have installed, but no configuration or kept state
	$(MAKE) -C kmod uninstall DESTDIR=$(DESTDIR)
	$(MAKE) -C supervisor uninstall DESTDIR=$(DESTDIR)
	$(MAKE) -C uapi uninstall DESTDIR=$(DESTDIR)

demo: ## the main job on a simulated SEV host, with nothing prepared
	scripts/demo

check: deps ## every test, on Debian 12's kernels and unstable's (KERNELS="6.1 6.12 sid")
	KERNELS="$(KERNELS)" scripts/check

check-all: deps ## the same on Debian 13 too, and the tests that take long
	KERNELS="6.1 6.12 trixie sid" E2E=all scripts/check

check-debug: ## torture of the module on a kernel that watches itself: hours
	scripts/check-debug

check-fast: deps lint unit ## lint and unit tests, under a minute, no virtual machine

unit: ## unit tests of the supervisor
	$(MAKE) -k -Otarget -j$(JOBS) -C supervisor check O=$(O)/supervisor

sanitize: deps ## unit tests under address and undefined-behaviour sanitizers
	$(MAKE) -k -Otarget -j$(JOBS) -C supervisor check O=$(O)/supervisor-asan \
		CFLAGS="-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -U_FORTIFY_SOURCE"

lint: ## layering, licences, shell, man pages and what they leave out
	scripts/lint

deps: ## install what building and unit tests need (Debian, root)
	@scripts/deps

bench: ## what kvmward costs beside other ways, as a table (BENCH="libvirt": a part)
	scripts/lab run --threads -k $(BENCH_KERNEL) --mem 8G --timeout 3000 -- selftests/bench/run $(BENCH)

lab: ## a login on the simulated SEV host
	scripts/lab shell

header: ## generate uapi/linux/kvmward.h from uapi/kvmward.yaml
	scripts/lab chroot -- make -C uapi header

clean: ## remove build/
	rm -rf $(CURDIR)/build

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-12s %s\n", $$1, $$2}' Makefile

.PHONY: all install dkms uninstall demo check check-all check-debug check-fast unit sanitize lint deps bench lab \
	header clean help
