/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "facts/domain_xml.h"

#define KIB 1024ull
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

static int parse_text(const char *xml, struct kw_domain *ret_domain, char *error, size_t size)
{
	return kw_domain_xml_parse(xml, strlen(xml), ret_domain, error, size);
}

static void parse_file(const char *name, struct kw_domain *ret_domain)
{
	_cleanup_free_ char *xml = NULL;
	char path[256], error[256] = "";
	size_t length;

	snprintf(path, sizeof(path), "tests/data/domains/%s", name);
	assert_int_equal(kw_file_read(path, KW_DOMAIN_XML_MAX, &xml, &length), 0);
	if (kw_domain_xml_parse(xml, length, ret_domain, error, sizeof(error)) != 0)
		fail_msg("%s: %s", name, error);
}

static const struct kw_device *device(const struct kw_domain *domain, enum kw_device_kind kind)
{
	for (size_t i = 0; i < domain->device_count; i++)
		if (domain->devices[i].kind == kind)
			return &domain->devices[i];
	fail_msg("no device of kind %d", (int)kind);
	return NULL;
}

static void test_virt_install(void **state)
{
	_cleanup_(kw_domain_done) struct kw_domain domain = { 0 };
	enum kw_guest_type type;

	(void)state;
	parse_file("virt-install.xml", &domain);
	assert_string_equal(domain.name, "debian12");
	assert_string_equal(domain.uuid, "4dea22b3-1d52-4d2c-a5b0-3b2d3c0e9a77");
	assert_string_equal(domain.virt_type, "kvm");
	assert_string_equal(domain.machine, "q35");
	assert_string_equal(domain.arch, "x86_64");
	assert_int_equal(domain.memory_bytes, 2 * GIB);
	assert_int_equal(domain.max_memory_bytes, 2 * GIB);
	assert_int_equal(domain.line_memory, 9);
	assert_int_equal(domain.vcpus, 2);
	assert_int_equal(domain.security, KW_SECURITY_NONE);
	assert_int_equal(domain.line_security, 0);
	assert_false(domain.hard_limit_bytes.known);
	assert_false(domain.loader);
	assert_int_equal(domain.line_loader, 0);
	assert_int_equal(domain.line_os, 12);
	assert_int_equal(domain.line_type, 13);
	assert_int_equal(domain.device_count, 4);
	assert_string_equal(domain.devices[1].bus, "sata");
	assert_string_equal(domain.devices[1].target, "sda");
	assert_true(kw_domain_guest_type(&domain, &type));
	assert_int_equal(type, KW_GUEST_PLAIN);
}

static void test_nova(void **state)
{
	_cleanup_(kw_domain_done) struct kw_domain domain = { 0 };
	const struct kw_device *interface;
	enum kw_guest_type type;

	(void)state;
	parse_file("nova.xml", &domain);
	assert_string_equal(domain.name, "instance-0000002a");
	assert_int_equal(domain.memory_bytes, 4 * GIB);
	assert_true(domain.memory_locked);
	assert_int_equal(domain.huge[0].bytes, 0);
	assert_false(domain.hard_limit_bytes.known);
	assert_int_equal(domain.line_hard_limit, 0);
	assert_true(domain.loader);
	assert_string_equal(domain.loader_type, "pflash");
	assert_string_equal(domain.loader_path, "/usr/share/OVMF/OVMF_CODE.fd");
	assert_string_equal(domain.nvram_path, "");
	assert_string_equal(domain.nvram_template, "/usr/share/OVMF/OVMF_VARS.fd");
	assert_false(domain.vmcoreinfo);
	assert_int_not_equal(domain.line_vmcoreinfo, 0);
	assert_false(domain.smm_on);
	assert_int_equal(domain.line_smm, 0);
	assert_int_equal(domain.policy.value, 0x33);
	assert_false(domain.cbitpos.known);
	assert_true(kw_domain_guest_type(&domain, &type));
	assert_int_equal(type, KW_GUEST_SEV);
	interface = device(&domain, KW_DEVICE_INTERFACE);
	assert_string_equal(interface->type, "bridge");
	assert_string_equal(interface->model, "virtio");
	assert_true(interface->rom_disabled);
	assert_false(interface->boot);
}

static void test_live(void **state)
{
	_cleanup_(kw_domain_done) struct kw_domain domain = { 0 };
	const struct kw_device *video, *hostdev, *interface, *disk;
	enum kw_guest_type type;

	(void)state;
	parse_file("live.xml", &domain);
	assert_string_equal(domain.machine, "pc-q35-7.2");
	assert_int_equal(domain.memory_bytes, 4 * GIB);
	assert_int_equal(domain.max_memory_bytes, 8 * GIB);
	assert_int_equal(domain.vcpus, 8);
	assert_true(domain.hard_limit_bytes.known);
	assert_int_equal(domain.hard_limit_bytes.value, 5 * GIB);
	assert_int_equal(domain.line_hard_limit, 8);
	assert_string_equal(domain.nvram_path, "/var/lib/libvirt/qemu/nvram/vault-3_VARS.fd");
	assert_false(domain.smm_on);
	assert_int_not_equal(domain.line_smm, 0);
	assert_int_equal(domain.cbitpos.value, 51);
	assert_int_equal(domain.reduced_phys_bits.value, 1);
	assert_true(kw_domain_guest_type(&domain, &type));
	assert_int_equal(type, KW_GUEST_SEV_ES);
	disk = device(&domain, KW_DEVICE_DISK);
	assert_true(disk->boot);
	assert_string_equal(disk->bus, "virtio");
	interface = device(&domain, KW_DEVICE_INTERFACE);
	assert_true(interface->boot);
	assert_true(interface->rom_disabled);
	assert_string_equal(interface->target, "vnet5");
	hostdev = device(&domain, KW_DEVICE_HOSTDEV);
	assert_string_equal(hostdev->type, "subsystem");
	assert_string_equal(hostdev->model, "usb");
	video = device(&domain, KW_DEVICE_VIDEO);
	assert_string_equal(video->model, "qxl");
	assert_int_equal(video->ram_bytes, 64 * MIB);
	assert_int_equal(video->vram_bytes, 32 * MIB);
	assert_int_equal(video->vram64_bytes, 128 * MIB);
	assert_int_equal(video->vgamem_bytes, 16 * MIB);
	assert_int_equal(video->heads, 2);
}

static void test_snp(void **state)
{
	_cleanup_(kw_domain_done) struct kw_domain domain = { 0 };
	enum kw_guest_type type;

	(void)state;
	parse_file("snp.xml", &domain);
	assert_string_equal(domain.uuid, "");
	assert_true(domain.loader_stateless);
	assert_string_equal(domain.loader_type, "rom");
	assert_int_equal(domain.policy.value, 0x30000);
	assert_int_equal(domain.line_security, 18);
	assert_int_equal(domain.line_policy, 19);
	assert_string_equal(domain.security_type, "sev-snp");
	assert_true(kw_domain_guest_type(&domain, &type));
	assert_int_equal(type, KW_GUEST_SNP);
}

#define DOMAIN(inner) "<domain type='kvm'>\n<name>n</name>\n" inner "</domain>"
#define WITH(inner) DOMAIN("<memory>1024</memory>\n" inner)

static void test_memory(void **state)
{
	static const struct {
		const char *xml;
		uint64_t bytes, max_bytes;
	} cases[] = {
		{ DOMAIN("<memory>1024</memory>"), MIB, MIB },
		{ DOMAIN("<memory unit=''>1024</memory>"), MIB, MIB },
		{ DOMAIN("<memory unit='bytes'>1048576</memory>"), MIB, MIB },
		{ DOMAIN("<memory unit='b'>1025</memory>"), 2 * KIB, 2 * KIB },
		{ DOMAIN("<memory unit='KB'>1000</memory>"), 977 * KIB, 977 * KIB },
		{ DOMAIN("<memory unit='k'>7</memory>"), 7 * KIB, 7 * KIB },
		{ DOMAIN("<memory unit='MB'>1</memory>"), 977 * KIB, 977 * KIB },
		{ DOMAIN("<memory unit='MiB'> 256\n </memory>"), 256 * MIB, 256 * MIB },
		{ DOMAIN("<memory unit='G'>3</memory>"), 3 * GIB, 3 * GIB },
		{ DOMAIN("<memory unit='TiB'>1</memory>"), 1024 * GIB, 1024 * GIB },
		{ DOMAIN("<memory>1024</memory><maxMemory slots='4' unit='GiB'>2</maxMemory>"), MIB,
		  2 * GIB },
		{ DOMAIN("<maxMemory unit='KiB'>512</maxMemory><memory>1024</memory>"), MIB, MIB },
		{ DOMAIN("<currentMemory>1</currentMemory><memory>1024</memory>"), MIB, MIB },
		{ DOMAIN("<cpu><numa><cell memory='1' unit='GiB'/><cell memory='1048576'/></numa>"
			 "</cpu>"), 2 * GIB, 2 * GIB },
		{ DOMAIN("<memory unit='MiB'>1</memory><cpu><numa><cell memory='2' unit='GiB'/>"
			 "</numa></cpu><devices><memory model='dimm'><target><size unit='GiB'>1"
			 "</size></target></memory></devices>"), 3 * GIB, 3 * GIB },
		/* each cell and each module is whole MiB */
		{ DOMAIN("<cpu><numa><cell memory='1' unit='KiB'/><cell memory='1025'/></numa></cpu>"
			 "<devices><memory model='dimm'><target><size unit='KiB'>1</size></target>"
			 "</memory></devices>"), 4 * MIB, 4 * MIB },
		{ DOMAIN("<memory unit='KiB'>9007199254740991</memory>"), INT64_MAX - 1023,
		  INT64_MAX - 1023 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_(kw_domain_done) struct kw_domain domain = { 0 };
		char error[256] = "";

		if (parse_text(cases[i].xml, &domain, error, sizeof(error)) != 0)
			fail_msg("%s: %s", cases[i].xml, error);
		assert_int_equal(domain.memory_bytes, cases[i].bytes);
		assert_int_equal(domain.max_memory_bytes, cases[i].max_bytes);
	}
}

static void test_what_devices_pin(void **state)
{
	_cleanup_(kw_domain_done) struct kw_domain domain = { 0 };
	char error[256] = "";
	const char *xml = WITH(
		"<devices><graphics type='vnc'/>\n"
		"<video><model type='virtio' primary='yes'/><rom enabled='no'/></video>\n"
		"<interface type='user'><rom file='tests/data'/></interface>\n"
		"<shmem name='a'><model type='ivshmem-plain'/><size unit='M'>8</size></shmem>\n"
		"<tpm model='tpm-crb'><backend type='emulator'/></tpm></devices>\n");

	(void)state;
	if (parse_text(xml, &domain, error, sizeof(error)) != 0)
		fail_msg("%s", error);
	assert_true(domain.graphics);
	assert_true(device(&domain, KW_DEVICE_VIDEO)->primary);
	/* libvirt does not look for <rom> in a video card */
	assert_false(device(&domain, KW_DEVICE_VIDEO)->rom_disabled);
	assert_int_equal(device(&domain, KW_DEVICE_SHMEM)->size_bytes, 8 * MIB);
	assert_string_equal(device(&domain, KW_DEVICE_SHMEM)->model, "ivshmem-plain");
	assert_string_equal(device(&domain, KW_DEVICE_TPM)->model, "tpm-crb");
	assert_string_equal(device(&domain, KW_DEVICE_TPM)->type, "emulator");
	kw_domain_done(&domain);

	xml = WITH("<devices><interface type='user'/><hostdev><rom file='/proc/self/exe'/></hostdev>"
		   "<shmem name='a'><size>4194304</size></shmem></devices>\n");
	if (parse_text(xml, &domain, error, sizeof(error)) != 0)
		fail_msg("%s", error);
	assert_false(domain.graphics);
	/* files are not looked at here */
	assert_int_equal(domain.rom_count, 1);
	assert_string_equal(domain.roms[0].path, "/proc/self/exe");
	assert_int_equal(domain.roms[0].device, 1);
	assert_false(domain.devices[1].rom_bytes.known);
	/* bytes, where there is no unit */
	assert_int_equal(device(&domain, KW_DEVICE_SHMEM)->size_bytes, 4 * MIB);
}

static void test_small_things(void **state)
{
	_cleanup_(kw_domain_done) struct kw_domain domain = { 0 };
	char error[256] = "";
	const char *xml = WITH(
		"<uuid> 4DEA22B31D524D2CA5B03B2D3C0E9A77 </uuid>\n"
		"<memoryBacking><hugepages/></memoryBacking>\n"
		"<memtune><hard_limit>9007199254740991</hard_limit></memtune>\n"
		"<os firmware='efi'>\n"
		"<firmware><feature enabled='no' name='enrolled-keys'/>\n"
		"<feature enabled='yes' name='secure-boot'/></firmware></os>\n"
		"<features><smm/><vmcoreinfo state='on'/></features>\n"
		"<launchSecurity type='sev'><policy>51</policy></launchSecurity>\n");

	(void)state;
	if (parse_text(xml, &domain, error, sizeof(error)) != 0)
		fail_msg("%s", error);
	assert_string_equal(domain.uuid, "4dea22b3-1d52-4d2c-a5b0-3b2d3c0e9a77");
	assert_int_equal(domain.vcpus, 1);
	assert_int_equal(domain.huge[0].bytes, domain.memory_bytes);
	assert_int_equal(domain.huge[0].page_bytes, 0);
	assert_false(domain.memory_locked);
	assert_false(domain.hard_limit_bytes.known);
	assert_int_equal(domain.line_hard_limit, 6);
	assert_true(domain.firmware_efi);
	assert_false(domain.loader);
	assert_true(domain.loader_secure);
	assert_int_equal(domain.line_loader, 9);
	assert_true(domain.smm_on);
	assert_true(domain.vmcoreinfo);
	assert_int_equal(domain.policy.value, 0x51);
}

#define CELLS "<memory unit='MiB'>7</memory><cpu><numa><cell id='1' memory='3' unit='MiB'/>" \
	      "<cell id='0' memory='4' unit='MiB'/></numa></cpu>"
#define PAGES(text) "<memoryBacking><hugepages>" text "</hugepages></memoryBacking>"
#define SMALL "<page size='2' unit='M'/>"
#define BIG(set) "<page size='1048576' nodeset='" set "'/>"
#define MODULE(node, source) "<devices><memory model='dimm'>" source "<target><size unit='MiB'>8" \
			     "</size><node>" node "</node></target></memory></devices>"

/* The caller ends it. */
static struct kw_domain domain_with(const char *parts)
{
	struct kw_domain domain = { 0 };
	char error[256] = "", xml[1024];

	snprintf(xml, sizeof(xml), "<domain type='kvm'><name>a</name>%s</domain>", parts);
	if (parse_text(xml, &domain, error, sizeof(error)))
		fail_msg("%s: %s", xml, error);
	return domain;
}

static void test_hugepages(void **state)
{
	static const struct {
		const char *xml;
		struct kw_huge_part wanted[2];
	} cases[] = {
		{ "<memory unit='KiB'>6145</memory>" PAGES(""), { { 0, 7 * MIB } } },
		{ "<memory unit='MiB'>6</memory>" PAGES(SMALL), { { 2 * MIB, 6 * MIB } } },
		{ "<memory unit='MiB'>6</memory>" PAGES(BIG("0")), { { GIB, 6 * MIB } } },
		{ "<memory unit='MiB'>6</memory>", { { 0, 0 } } },
		{ CELLS PAGES(""), { { 0, 7 * MIB } } },
		{ CELLS PAGES(SMALL), { { 2 * MIB, 7 * MIB } } },
		{ CELLS PAGES(BIG("0")), { { GIB, 4 * MIB } } },
		{ CELLS PAGES(SMALL BIG("0")), { { 2 * MIB, 3 * MIB }, { GIB, 4 * MIB } } },
		{ CELLS PAGES(BIG("1") SMALL), { { GIB, 3 * MIB }, { 2 * MIB, 4 * MIB } } },
		{ CELLS PAGES(BIG("0-5,^1")), { { GIB, 4 * MIB } } },
		{ CELLS PAGES(BIG("2,4-5")), { { 0, 0 } } },
		{ CELLS PAGES(BIG("1")) MODULE("1", ""), { { GIB, 11 * MIB } } },
		{ CELLS PAGES(BIG("1")) MODULE("0", ""), { { GIB, 3 * MIB } } },
		{ CELLS PAGES(BIG("1")) MODULE("1", "<source><path>/x</path></source>"),
		  { { GIB, 3 * MIB } } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_(kw_domain_done) struct kw_domain domain = domain_with(cases[i].xml);

		for (size_t j = 0; j < 2; j++)
			if (domain.huge[j].bytes != cases[i].wanted[j].bytes ||
			    domain.huge[j].page_bytes != cases[i].wanted[j].page_bytes)
				fail_msg("%s: part %zu is %llu of %llu", cases[i].xml, j,
					 (unsigned long long)domain.huge[j].bytes,
					 (unsigned long long)domain.huge[j].page_bytes);
		assert_int_equal(domain.huge[2].bytes, 0);
	}
}

static void test_bad_hugepages(void **state)
{
	static const char *const sets[] = { "x", "1-", "-1", "2-1", "1,,2", "^", "99999" };

	(void)state;
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		_cleanup_(kw_domain_done) struct kw_domain domain = { 0 };
		char error[256] = "", xml[1024];

		snprintf(xml, sizeof(xml), "<domain type='kvm'><name>a</name>" CELLS PAGES(BIG("%s"))
			 "</domain>", sets[i]);
		assert_int_equal(parse_text(xml, &domain, error, sizeof(error)), -EBADMSG);
		assert_non_null(strstr(error, "is no set of cells"));
	}
}

#define TUNE(text) "<numatune>" text "</numatune>"
#define STRICT(set) "<memory mode='strict' nodeset='" set "'/>"
#define CELL(cell, mode, set) "<memnode cellid='" cell "' mode='" mode "' nodeset='" set "'/>"

static void test_bound_memory(void **state)
{
	static const struct {
		const char *xml;
		struct kw_bound_part wanted[2];
	} cases[] = {
		{ "<memory unit='KiB'>6145</memory>" TUNE(STRICT("1")), { { 2, 7 * MIB } } },
		{ "<memory unit='MiB'>6</memory>" TUNE("<memory nodeset='0-2,^1'/>"),
		  { { 5, 6 * MIB } } },
		{ "<memory unit='MiB'>6</memory>" TUNE("<memory mode='preferred' nodeset='1'/>"),
		  { { 0, 0 } } },
		{ "<memory unit='MiB'>6</memory>" TUNE("<memory mode='strict' placement='auto'/>"),
		  { { 0, 0 } } },
		{ "<memory unit='MiB'>6</memory>", { { 0, 0 } } },
		{ CELLS TUNE(STRICT("0")), { { 1, 7 * MIB } } },
		{ CELLS TUNE(STRICT("0") CELL("0", "strict", "63")),
		  { { 1, 3 * MIB }, { 1ull << 63, 4 * MIB } } },
		{ CELLS TUNE(STRICT("0") CELL("0", "preferred", "1")), { { 1, 3 * MIB } } },
		{ CELLS TUNE(CELL("1", "strict", "1")), { { 2, 3 * MIB } } },
		{ CELLS TUNE(CELL("1", "strict", "1")) MODULE("1", ""), { { 2, 11 * MIB } } },
		/* hugepages have pools of their own */
		{ CELLS TUNE(STRICT("0")) PAGES(""), { { 0, 0 } } },
		{ CELLS TUNE(STRICT("0")) PAGES(BIG("0")), { { 1, 3 * MIB } } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_(kw_domain_done) struct kw_domain domain = domain_with(cases[i].xml);

		for (size_t j = 0; j < 2; j++)
			if (domain.bound[j].bytes != cases[i].wanted[j].bytes ||
			    domain.bound[j].nodes != cases[i].wanted[j].nodes)
				fail_msg("%s: part %zu is %llu of %llx", cases[i].xml, j,
					 (unsigned long long)domain.bound[j].bytes,
					 (unsigned long long)domain.bound[j].nodes);
		assert_int_equal(domain.bound[2].bytes, 0);
	}
}

static void test_bound_to_many_sets(void **state)
{
	_cleanup_(kw_domain_done) struct kw_domain domain = { 0 };
	char error[256] = "", xml[4096], cells[1024] = "", tuning[1024] = "";
	size_t cell_length = 0, tuning_length = 0;
	uint64_t bytes = 0;

	(void)state;
	for (int i = 0; i < KW_BOUND_MAX + 2; i++) {
		cell_length += sprintf(cells + cell_length,
				       "<cell id='%d' memory='1' unit='MiB'/>", i);
		tuning_length += sprintf(tuning + tuning_length,
					 "<memnode cellid='%d' nodeset='%d'/>", i, i);
	}
	snprintf(xml, sizeof(xml), "<domain type='kvm'><name>a</name><cpu><numa>%s</numa></cpu>"
		 "<numatune>%s</numatune></domain>", cells, tuning);
	if (parse_text(xml, &domain, error, sizeof(error)))
		fail_msg("%s", error);
	for (int i = 0; i < KW_BOUND_MAX; i++)
		bytes += domain.bound[i].bytes;
	assert_int_equal(bytes, (KW_BOUND_MAX + 2) * MIB);
	assert_int_equal(domain.bound[0].nodes, 1);
	assert_int_equal(domain.bound[KW_BOUND_MAX - 1].nodes, 7 << (KW_BOUND_MAX - 1));
}

/* No more than QEMU takes: each costs a look at what it is made of. */
static void test_many_cells(void **state)
{
	static const struct {
		int cells;
		const char *more, *complaint;
	} cases[] = {
		{ 128, "", NULL },
		{ 129, "", "<cell>: QEMU has no NUMA cells beyond 127" },
		{ 1, "<cell id='128' memory='1024'/>", "<cell>: QEMU has no NUMA cells beyond" },
		{ 128, "</numa></cpu>" MODULE("127", "") "<cpu><numa>", NULL },
		{ 128, "</numa></cpu>" MODULE("128", "") "<cpu><numa>",
		  "<memory>: QEMU has no NUMA cells beyond" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_(kw_domain_done) struct kw_domain domain = { 0 };
		char error[256] = "", xml[8192] = "<domain type='kvm'><name>a</name><cpu><numa>";

		for (int j = 0; j < cases[i].cells; j++)
			strcat(xml, "<cell memory='1024'/>");
		strcat(xml, cases[i].more);
		strcat(xml, "</numa></cpu>" PAGES(SMALL) "</domain>");
		if (!!parse_text(xml, &domain, error, sizeof(error)) != !!cases[i].complaint ||
		    (cases[i].complaint && !strstr(error, cases[i].complaint)))
			fail_msg("%zu: \"%s\"", i, error);
		if (!cases[i].complaint)
			assert_int_equal(domain.huge[0].bytes, domain.memory_bytes);
	}
}

/* The first <page> of a cell is its own, the last <memnode>, and the order is the file's. */
static void test_pages_of_one_cell(void **state)
{
	_cleanup_(kw_domain_done) struct kw_domain domain = { 0 };
	char error[256] = "";

	(void)state;
	if (parse_text("<domain type='kvm'><name>a</name>" CELLS PAGES(
			       BIG("5") "<page size='4' unit='M' nodeset='0-127'/>" BIG("0") SMALL)
		       "</domain>", &domain, error, sizeof(error)))
		fail_msg("%s", error);
	assert_int_equal(domain.huge[0].page_bytes, 4 * MIB);
	assert_int_equal(domain.huge[0].bytes, 7 * MIB);
	kw_domain_done(&domain);
	if (parse_text("<domain type='kvm'><name>a</name>" CELLS TUNE(
			       CELL("0", "strict", "1") CELL("999", "strict", "3")
			       CELL("0", "strict", "2")) "</domain>",
		       &domain, error, sizeof(error)))
		fail_msg("%s", error);
	assert_int_equal(domain.bound[0].nodes, 4);
	assert_int_equal(domain.bound[0].bytes, 4 * MIB);
}

static void test_bad_nodes(void **state)
{
	_cleanup_(kw_domain_done) struct kw_domain domain = { 0 };
	char error[256] = "";

	(void)state;
	assert_int_equal(parse_text("<domain type='kvm'><name>a</name><memory>1024</memory>"
				    TUNE(STRICT("0-")) "</domain>", &domain, error, sizeof(error)),
			 -EBADMSG);
	assert_non_null(strstr(error, "'0-' is no set of nodes"));
}

static void test_unknown_security(void **state)
{
	_cleanup_(kw_domain_done) struct kw_domain domain = { 0 };
	enum kw_guest_type type;
	char error[256];

	(void)state;
	assert_int_equal(parse_text(WITH("<launchSecurity type='tdx'><policy>x</policy>"
					 "</launchSecurity>"), &domain, error, sizeof(error)), 0);
	assert_int_equal(domain.security, KW_SECURITY_OTHER);
	assert_string_equal(domain.security_type, "tdx");
	assert_false(kw_domain_guest_type(&domain, &type));
}

static void test_class(void **state)
{
	_cleanup_(kw_domain_done) struct kw_domain domain = { 0 };
	char error[256] = "";
	const char *xml = WITH("<metadata><class>no</class><x:class xmlns:x='urn:x'>no</x:class>\n"
			       "<kvmward:class xmlns:kvmward='urn:kvmward:1'> gold </kvmward:class>"
			       "</metadata>\n"
			       "<resource><partition>/machine/silver</partition></resource>\n");

	(void)state;
	if (parse_text(xml, &domain, error, sizeof(error)) != 0)
		fail_msg("%s", error);
	assert_string_equal(domain.class_name, "gold");
	assert_string_equal(domain.partition, "/machine/silver");
	assert_true(domain.line_class > 1);
	kw_domain_done(&domain);
	domain = (struct kw_domain){ 0 };
	assert_int_equal(parse_text(WITH("<metadata/>"), &domain, error, sizeof(error)), 0);
	assert_string_equal(domain.class_name, "");
	assert_string_equal(domain.partition, "");
	assert_int_equal(domain.line_class, 0);
}

static void test_bad_classes(void **state)
{
	static const char *const texts[] = {
		"<k:class xmlns:k='urn:kvmward:1'> </k:class>",
		"<k:class xmlns:k='urn:kvmward:1'>a</k:class><k:class xmlns:k='urn:kvmward:1'>a</k:class>",
		"<k:class xmlns:k='urn:kvmward:1'>0123456789012345678901234567890123456789"
		"0123456789012345678901234567890123456789</k:class>",
	};
	struct kw_domain domain;
	char error[256] = "", xml[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		snprintf(xml, sizeof(xml), WITH("<metadata>%s</metadata>"), texts[i]);
		assert_int_equal(parse_text(xml, &domain, error, sizeof(error)), -EBADMSG);
		assert_non_null(strstr(error, "<class>: "));
	}
}

static void expect_mark(const char *metadata, enum kw_mark_kind kind, const char *job,
			const char *peer)
{
	_cleanup_(kw_domain_done) struct kw_domain domain = { 0 };
	char error[256] = "", xml[2048];

	snprintf(xml, sizeof(xml), WITH("<metadata>%s</metadata>"), metadata);
	if (parse_text(xml, &domain, error, sizeof(error)) != 0)
		fail_msg("%s", error);
	assert_int_equal(domain.mark.kind, kind);
	assert_string_equal(domain.mark.job, job);
	assert_string_equal(domain.mark.peer, peer);
	assert_int_equal(domain.mark.line > 0, kind != KW_MARK_NONE);
}

#define MARK(attributes, word) "<k:move xmlns:k='urn:kvmward:move:1' " attributes ">" word "</k:move>"

static void test_marks(void **state)
{
	(void)state;
	expect_mark("", KW_MARK_NONE, "", "");
	expect_mark(MARK("job='m7' peer='root@h2'", " leaving\n"), KW_MARK_LEAVING, "m7", "root@h2");
	expect_mark(MARK("job='m7' peer='h1'", "arriving"), KW_MARK_ARRIVING, "m7", "h1");
	expect_mark("<k:class xmlns:k='urn:kvmward:1'>gold</k:class>"
		    MARK("job='m7' peer='h1'", "arriving"), KW_MARK_ARRIVING, "m7", "h1");
	/* no mark of ours: other namespaces, and what stands deeper */
	expect_mark("<move>leaving</move><x:move xmlns:x='urn:x'>leaving</x:move>", KW_MARK_NONE,
		    "", "");
	expect_mark("<a>" MARK("job='m7' peer='h1'", "arriving") "</a>", KW_MARK_NONE, "", "");
}

/* What cannot be read may have one. */
static void test_mark_alone(void **state)
{
	struct kw_mark mark;

	(void)state;
	assert_int_equal(kw_domain_xml_mark(WITH(""), &mark), 0);
	assert_int_equal(mark.kind, KW_MARK_NONE);
	assert_int_equal(kw_domain_xml_mark(WITH("<metadata>" MARK("job='m7' peer='h1'", "arriving")
						 "</metadata>"), &mark), 0);
	assert_int_equal(mark.kind, KW_MARK_ARRIVING);
	assert_string_equal(mark.job, "m7");
	assert_int_equal(kw_domain_xml_mark("<domain", &mark), -EBADMSG);
	assert_int_equal(mark.kind, KW_MARK_UNKNOWN);
	assert_string_equal(mark.job, "");
}

/* A start is barred by a mark that says nothing, too. */
static void test_bad_marks(void **state)
{
	static const char *const texts[] = {
		MARK("job='' peer='h2'", "leaving"),
		MARK("job='m7'", "leaving"),
		MARK("job='m7' peer='h2'", ""),
		MARK("job='m7' peer='h2'", "gone"),
		MARK("job='m7' peer='h2'", "leaving and much more than fits into it"),
		MARK("job='m7' peer='h2'", "<leaving/>"),
		MARK("job='0123456789012345678901234567890123456789012345678901234567890123' "
		     "peer='h2'", "leaving"),
		MARK("job='m7' peer='h2'", "leaving") MARK("job='m7' peer='h2'", "leaving"),
		"<k:move xmlns:k='urn:kvmward:move:2' job='m7' peer='h2'>leaving</k:move>",
		"<k:stay xmlns:k='urn:kvmward:move:1' job='m7' peer='h2'>leaving</k:stay>",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		_cleanup_(kw_domain_done) struct kw_domain domain = { 0 };
		char error[256] = "", xml[2048];

		snprintf(xml, sizeof(xml), WITH("<metadata>%s</metadata>"), texts[i]);
		assert_int_equal(parse_text(xml, &domain, error, sizeof(error)), 0);
		assert_int_equal(domain.mark.kind, KW_MARK_UNKNOWN);
		assert_true(domain.mark.line > 0);
	}
}

/* What libvirt looks up by XPath without a namespace is not there in one. */
static void test_namespaces_are_not_ours(void **state)
{
	_cleanup_(kw_domain_done) struct kw_domain domain = { 0 };
	char error[256] = "";
	const char *xml = WITH("<x:launchSecurity xmlns:x='urn:x' type='sev'/>\n"
			       "<metadata><launchSecurity type='sev'/></metadata>\n");

	(void)state;
	assert_int_equal(parse_text(xml, &domain, error, sizeof(error)), 0);
	assert_int_equal(domain.security, KW_SECURITY_NONE);
}

static void test_nvme(void **state)
{
	_cleanup_(kw_domain_done) struct kw_domain domain = { 0 };
	char error[256] = "";
	const char *xml = WITH("<devices><disk type='nvme'><target dev='vda'/></disk>"
			       "<disk type='file'><backingStore type='block'>"
			       "<backingStore type='nvme'/></backingStore></disk>"
			       "<disk type='file'><backingStore/></disk><disk/></devices>");

	(void)state;
	assert_int_equal(parse_text(xml, &domain, error, sizeof(error)), 0);
	assert_int_equal(domain.device_count, 4);
	assert_true(domain.devices[0].nvme);
	assert_true(domain.devices[1].nvme);
	assert_false(domain.devices[2].nvme);
	assert_false(domain.devices[3].nvme);
}

static void test_nvram_source(void **state)
{
	_cleanup_(kw_domain_done) struct kw_domain domain = { 0 };
	char error[256] = "";

	(void)state;
	assert_int_equal(parse_text(WITH("<os><nvram type='file'><source file='/x/y'/></nvram>"
					 "</os>"), &domain, error, sizeof(error)), 0);
	assert_string_equal(domain.nvram_path, "/x/y");
}

/* Refused: the domain is untouched and the error begins as said. */
static void refused(const char *what, const char *xml, size_t length, int result,
		    const char *sentence)
{
	struct kw_domain domain, before;
	char error[256] = "";
	int got;

	memset(&domain, 0xa5, sizeof(domain));
	before = domain;
	got = kw_domain_xml_parse(xml, length, &domain, error, sizeof(error));
	if (got != result || strncmp(error, sentence, strlen(sentence)) != 0)
		fail_msg("%.200s: %d \"%s\", not %d \"%s\"", what, got, error, result, sentence);
	assert_memory_equal(&domain, &before, sizeof(domain));
}

static void test_bad_values(void **state)
{
	static const struct {
		const char *xml, *sentence;
	} cases[] = {
		{ "<network/>", "line 1: <network>: is not a libvirt <domain>" },
		{ "<domain xmlns='urn:x' type='kvm'/>", "line 1: <domain>: is not a libvirt" },
		{ "<domain><name>n</name></domain>", "line 1: <domain>: has no type" },
		{ "<domain type='kvm'><memory>1</memory></domain>",
		  "line 1: <domain>: has no <name>" },
		{ "<domain type='kvm'>\n<name> </name></domain>", "line 2: <name>: is empty" },
		{ "<domain type='kvm'>\n<name>../x</name></domain>",
		  "line 2: <name>: a name has no" },
		{ "<domain type='kvm'>\n<name>a\nb</name></domain>",
		  "line 2: <name>: a name has no" },
		{ DOMAIN(""), "line 1: <domain>: no memory is given" },
		{ DOMAIN("<memory>0</memory>"), "line 3: <memory>: no memory is given" },
		{ DOMAIN("<memory/>"), "line 3: <memory>: '' is not a number" },
		{ DOMAIN("<memory>-1</memory>"), "line 3: <memory>: '-1' is not a number" },
		{ DOMAIN("<memory>1x</memory>"), "line 3: <memory>: '1x' is not a number" },
		{ DOMAIN("<memory>0x10</memory>"), "line 3: <memory>: '0x10' is not a number" },
		{ DOMAIN("<memory>1 2</memory>"), "line 3: <memory>: '1 2' is not a number" },
		{ DOMAIN("<memory>1e9</memory>"), "line 3: <memory>: '1e9' is not a number" },
		{ DOMAIN("<memory>99999999999999999999999</memory>"),
		  "line 3: <memory>: '99999999999999999999999' is too large" },
		{ DOMAIN("<memory>9007199254740992</memory>"),
		  "line 3: <memory>: 9007199254740992 KiB is too large" },
		{ DOMAIN("<memory unit='EiB'>16</memory>"),
		  "line 3: <memory>: 16 EiB is too large" },
		{ DOMAIN("<memory unit='pages'>1</memory>"),
		  "line 3: <memory>: unit 'pages' is not" },
		{ DOMAIN("<memory unit='a very long unit indeed'>1</memory>"),
		  "line 3: <memory>: unit is longer than 15 bytes" },
		{ DOMAIN("<memory>1</memory>\n<memory>2</memory>"),
		  "line 4: <memory>: given twice, first in line 3" },
		{ DOMAIN("<cpu><numa><cell memory='9007199254740991'/><cell memory='1'/>"
			 "</numa></cpu>"),
		  "line 3: <cell>: memory adds up to too much" },
		{ WITH("<name>m</name>"), "line 4: <name>: given twice" },
		{ WITH("<uuid>not-a-uuid</uuid>"), "line 4: <uuid>: 'not-a-uuid' is not a UUID" },
		{ WITH("<vcpu>0</vcpu>"), "line 4: <vcpu>: 0 is not a number of CPUs" },
		{ WITH("<vcpu>65536</vcpu>"), "line 4: <vcpu>: 65536 is not a number of CPUs" },
		{ WITH("<vcpu>4294967297</vcpu>"), "line 4: <vcpu>: '4294967297' is too large" },
		{ WITH("<vcpu>-2</vcpu>"), "line 4: <vcpu>: '-2' is not a number" },
		{ WITH("<memtune><hard_limit>-1</hard_limit></memtune>"),
		  "line 4: <hard_limit>: '-1' is not a number" },
		{ WITH("<memtune/><memtune/>"), "line 4: <memtune>: given twice" },
		{ WITH("<os/>\n<os/>"), "line 5: <os>: given twice, first in line 4" },
		{ WITH("<os><loader secure='maybe'/></os>"),
		  "line 4: <loader>: secure='maybe' is neither yes nor no" },
		{ WITH("<features><smm state='ON'/></features>"),
		  "line 4: <smm>: state='ON' is neither yes nor no" },
		{ WITH("<launchSecurity/>"), "line 4: <launchSecurity>: has no type" },
		{ WITH("<launchSecurity type='sev'/>\n<launchSecurity type='sev'/>"),
		  "line 5: <launchSecurity>: given twice" },
		{ WITH("<launchSecurity type='sev'><policy>0x100000000</policy></launchSecurity>"),
		  "line 4: <policy>: '0x100000000' is too large" },
		{ WITH("<launchSecurity type='sev'><policy>0x</policy></launchSecurity>"),
		  "line 4: <policy>: '0x' is not a number" },
		{ WITH("<launchSecurity type='sev'><policy>-3</policy></launchSecurity>"),
		  "line 4: <policy>: '-3' is not a number" },
		{ WITH("<launchSecurity type='sev'><cbitpos>x</cbitpos></launchSecurity>"),
		  "line 4: <cbitpos>: 'x' is not a number" },
		{ WITH("<devices><video><model type='vga' vram='-1'/></video></devices>"),
		  "line 4: <model>: '-1' is not a number" },
		{ WITH("<devices/>\n<devices/>"), "line 5: <devices>: given twice" },
		{ WITH("<memory:x/>") "<trailing/>", "line 4: Extra content" },
		{ "<domain type='kvm' type='qemu'/>", "line 1: Attribute type redefined" },
		{ "", "line 1: the text is empty" },
		{ "   ", "line 1: " },
		{ "hello", "line 1: Start tag expected" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		refused(cases[i].xml, cases[i].xml, strlen(cases[i].xml), -EBADMSG,
			cases[i].sentence);
}

static void test_hostile_files(void **state)
{
	static const struct {
		const char *name, *sentence;
	} cases[] = {
		{ "entity-bomb.xml", "line 2: a DOCTYPE is not allowed" },
		{ "entity-file.xml", "line 1: a DOCTYPE is not allowed" },
		{ "external-dtd.xml", "line 3: a DOCTYPE is not allowed" },
		{ "undefined-entity.xml", "line 2: Entity 'nbsp' not defined" },
		{ "latin-1-declared.xml", "line 1: encoding 'ISO-8859-1' is declared" },
		{ "latin-1.xml", "line 2: Input is not proper UTF-8" },
		{ "utf-16.xml", "line 1: the text is not UTF-8" },
		{ "utf-16-unmarked.xml", "line 1: a zero byte" },
		{ "utf-7-declared.xml", "line 1: encoding 'UTF-7' is declared" },
		{ "zero-byte.xml", "line 2: a zero byte" },
		{ "truncated.xml", "line 45: Couldn't find end of Start Tag" },
		{ "image.png", "line 3: a zero byte" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_free_ char *xml = NULL;
		char path[256];
		size_t length;

		snprintf(path, sizeof(path), "tests/data/hostile/%s", cases[i].name);
		assert_int_equal(kw_file_read(path, KW_DOMAIN_XML_MAX, &xml, &length), 0);
		refused(cases[i].name, xml, length, -EBADMSG, cases[i].sentence);
	}
}

/* begin, then middle count times, then end. */
static char *repeat(const char *begin, const char *middle, size_t count, const char *end)
{
	size_t step = strlen(middle), at = strlen(begin);
	char *text = malloc(at + step * count + strlen(end) + 1);

	assert_non_null(text);
	memcpy(text, begin, at);
	for (size_t i = 0; i < count; i++, at += step)
		memcpy(text + at, middle, step);
	strcpy(text + at, end);
	return text;
}

static void test_hostile_sizes(void **state)
{
	static const struct {
		const char *begin, *middle, *end;
		size_t count;
		int result;
		const char *sentence;
	} cases[] = {
		{ "<domain type='kvm'>", "     ", "</domain>", 1u << 20, -EMSGSIZE,
		  "line 1: longer than 4 MiB" },
		{ "", "<a>\n", "", 250, -EBADMSG, "line 251: Premature end of data" },
		{ "", "<a>\n", "", 251, -EBADMSG, "line 251: elements are nested too deep" },
		{ "", "<a>", "", 1000000, -EBADMSG, "line 1: too many elements" },
		{ "<a>", "<b/>", "</a>", 1000000, -EBADMSG, "line 1: too many elements" },
		{ "<a>", "<?b?>", "</a>", 800000, -EBADMSG, "line 1: too many elements" },
		{ "<a>", "<!---->", "</a>", 500000, -EBADMSG, "line 1: too many elements" },
		{ "<a>", "<![CDATA[x]]>", "</a>", 300000, -EBADMSG, "line 1: too many elements" },
		{ "<a>", "<b c='' d='' e='' f='' g='' h=''/>", "</a>", 100000, -EBADMSG,
		  "line 1: too many elements" },
		/* libxml2 reads on after this error, and would count no more */
		{ "<a b='' b=''>", "<c/>", "</a>", 1000000, -EBADMSG, "line 1: too many elements" },
		{ "<a", " b=''", "/>", 257, -EBADMSG,
		  "line 1: too many attributes for one element" },
		{ "<a><b><!-- it's --></b><c", "\nd='='", "/></a>", 257, -EBADMSG,
		  "line 258: too many attributes for one element" },
		{ "<a", " b=''", "/>", 256, -EBADMSG, "line 1: Attribute b redefined" },
		{ "<a>", "<b xmlns:c='d'/>", "</a>", 257, -EBADMSG, "line 1: too many namespaces" },
		{ "<a>", "<b xmlns:c='d'/>", "</a>", 256, -EBADMSG, "line 1: <a>: is not a" },
		{ "<domain type='kvm'><name>", "x", "</name></domain>", 4000000, -EBADMSG,
		  "line 1: <name>: longer than 4095 bytes" },
		{ "<domain type='", "x", "'/>", 4000000, -EBADMSG,
		  "line 1: <domain>: type is longer than 15 bytes" },
		{ "<domain type='kvm'><name>", "\xc3", "</name></domain>", 10000, -EBADMSG,
		  "line 1: Input is not proper UTF-8" },
		{ "<", "x", "/>", 4000000, -EBADMSG, "line 1: " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_free_ char *xml = repeat(cases[i].begin, cases[i].middle, cases[i].count,
						  cases[i].end);

		refused(cases[i].sentence, xml, strlen(xml), cases[i].result, cases[i].sentence);
	}
}

/* Only what makes an attribute counts as one. */
static void test_equals_signs(void **state)
{
	static const char *const places[][2] = {
		{ "<description>", "</description>" },
		{ "<description>\"", "'</description>" },
		{ "<!--", "-->" },
		{ "<!-- isn't", "-->" },
		{ "<?a ", "?>" },
		{ "<description><![CDATA[", "]]></description>" },
		{ "<description title='\"", "'/>" },
		{ "<description title=\">", "'\"/>" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		_cleanup_free_ char *signs = repeat(places[i][0], "=", 1000, places[i][1]);
		_cleanup_(kw_domain_done) struct kw_domain domain = { 0 };
		char error[256] = "", text[2048];

		snprintf(text, sizeof(text), "<domain type='kvm'><name>a</name><memory>1</memory>%s"
			 "</domain>", signs);
		if (parse_text(text, &domain, error, sizeof(error)))
			fail_msg("%.40s: %s", places[i][0], error);
	}
}

/* The longest chain of images that libvirt takes, as a hook gets it. */
static void test_backing_chain(void **state)
{
	_cleanup_free_ char *begin = repeat(
		"<domain type='kvm'><name>a</name><memory>1</memory><devices>"
		"<disk type='file'><source file='/a'/><target dev='vda' bus='virtio'/>",
		"<backingStore type='file'><format type='qcow2'/><source file='/b'/>", 199,
		"<backingStore type='nvme'><format type='raw'/><source type='pci' namespace='1'>"
		"<address domain='0' bus='1' slot='0' function='0'/><encryption format='luks'>"
		"<secret type='passphrase' usage='x'/></encryption></source>");
	_cleanup_free_ char *xml = repeat(begin, "</backingStore>", 200,
					  "</disk></devices></domain>");
	_cleanup_(kw_domain_done) struct kw_domain domain = { 0 };
	char error[256] = "";

	(void)state;
	if (parse_text(xml, &domain, error, sizeof(error)))
		fail_msg("%s", error);
	assert_int_equal(domain.device_count, 1);
	assert_true(domain.devices[0].nvme);
}

/* Every beginning of a good file is refused, and read within its bounds. */
static void test_every_truncation(void **state)
{
	_cleanup_free_ char *xml = NULL;
	size_t length;

	(void)state;
	assert_int_equal(kw_file_read("tests/data/domains/nova.xml", KW_DOMAIN_XML_MAX, &xml,
				      &length), 0);
	while (xml[length - 1] == '\n')
		length--;
	for (size_t cut = 0; cut < length; cut++) {
		_cleanup_free_ char *part = malloc(cut + 1);

		assert_non_null(part);
		memcpy(part, xml, cut);
		refused("a truncated file", part, cut, -EBADMSG, "line ");
	}
}

/* One byte changed: taken or refused, never a crash (sanitizers watch), never without a reason. */
static void test_mutations(void **state)
{
	_cleanup_free_ char *xml = NULL;
	uint32_t random = 12345;
	size_t length;

	(void)state;
	assert_int_equal(kw_file_read("tests/data/domains/live.xml", KW_DOMAIN_XML_MAX, &xml,
				      &length), 0);
	for (unsigned int i = 0; i < 5000; i++) {
		_cleanup_(kw_domain_done) struct kw_domain domain = { 0 };
		char error[256] = "", before;
		size_t at;

		random = random * 1664525 + 1013904223;
		at = (random >> 8) % length;
		before = xml[at];
		xml[at] = (char)(random >> 3);
		if (kw_domain_xml_parse(xml, length, &domain, error, sizeof(error)) != 0)
			assert_memory_equal(error, "line ", 5);
		xml[at] = before;
	}
}

static void test_short_error_buffer(void **state)
{
	struct kw_domain domain;
	char error[8];

	(void)state;
	assert_int_equal(parse_text("<x/>", &domain, error, sizeof(error)), -EBADMSG);
	assert_string_equal(error, "line 1:");
}

static void test_byte_order_mark(void **state)
{
	_cleanup_(kw_domain_done) struct kw_domain domain = { 0 };
	char error[256] = "";

	(void)state;
	assert_int_equal(parse_text("\xef\xbb\xbf<?xml version='1.0' encoding='utf-8'?>\n"
				    "<domain type='kvm'><name>caf\xc3\xa9</name><memory>1</memory>"
				    "</domain>", &domain, error, sizeof(error)), 0);
	assert_string_equal(domain.name, "caf\xc3\xa9");
}

/* Whatever the text, libxml2 leaves stderr to us. */
static void test_prints_nothing(void **state)
{
	char path[] = "/tmp/kw-stderr-XXXXXX";
	int saved = dup(STDERR_FILENO), fd = mkstemp(path);
	struct stat file;

	assert_true(saved >= 0 && fd >= 0);
	dup2(fd, STDERR_FILENO);
	test_hostile_files(state);
	test_hostile_sizes(state);
	test_bad_values(state);
	dup2(saved, STDERR_FILENO);
	assert_int_equal(fstat(fd, &file), 0);
	close(saved);
	close(fd);
	unlink(path);
	assert_int_equal(file.st_size, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_virt_install),
		cmocka_unit_test(test_nova),
		cmocka_unit_test(test_live),
		cmocka_unit_test(test_what_devices_pin),
		cmocka_unit_test(test_snp),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_small_things),
		cmocka_unit_test(test_hugepages),
		cmocka_unit_test(test_bad_hugepages),
		cmocka_unit_test(test_bound_memory),
		cmocka_unit_test(test_bound_to_many_sets),
		cmocka_unit_test(test_many_cells),
		cmocka_unit_test(test_pages_of_one_cell),
		cmocka_unit_test(test_bad_nodes),
		cmocka_unit_test(test_unknown_security),
		cmocka_unit_test(test_class),
		cmocka_unit_test(test_bad_classes),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_mark_alone),
		cmocka_unit_test(test_bad_marks),
		cmocka_unit_test(test_namespaces_are_not_ours),
		cmocka_unit_test(test_nvme),
		cmocka_unit_test(test_nvram_source),
		cmocka_unit_test(test_bad_values),
		cmocka_unit_test(test_hostile_files),
		cmocka_unit_test(test_hostile_sizes),
		cmocka_unit_test(test_equals_signs),
		cmocka_unit_test(test_backing_chain),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_short_error_buffer),
		cmocka_unit_test(test_byte_order_mark),
		cmocka_unit_test(test_prints_nothing),
	};

	return cmocka_run_group_tests_name("domain_xml", tests, NULL, NULL);
}
