/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_ACT_LIBVIRT_LOAD_H
#define KW_ACT_LIBVIRT_LOAD_H

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

/*
 * libvirt brings some 40 libraries along, which take several times as long to
 * load as any command but launch takes to answer. So it is loaded when launch
 * needs it, and its functions are called as vir.DomainFree() for virDomainFree().
 */
#define KW_LIBVIRT_FUNCTIONS(X)                                                                    \
	X(ConnectClose)                                                                            \
	X(ConnectCompareHypervisorCPU)                                                             \
	X(ConnectGetCapabilities)                                                                  \
	X(ConnectGetDomainCapabilities)                                                            \
	X(ConnectGetHostname)                                                                      \
	X(ConnectGetLibVersion)                                                                    \
	X(ConnectGetVersion)                                                                       \
	X(ConnectIsAlive)                                                                          \
	X(ConnectListAllDomains)                                                                   \
	X(ConnectOpen)                                                                             \
	X(ConnectSetKeepAlive)                                                                     \
	X(DomainAbortJob)                                                                          \
	X(DomainCreateWithFlags)                                                                   \
	X(DomainCreateXML)                                                                         \
	X(DomainDefineXML)                                                                         \
	X(DomainDestroy)                                                                           \
	X(DomainFree)                                                                              \
	X(DomainGetAutostart)                                                                      \
	X(DomainGetJobStats)                                                                       \
	X(DomainGetMetadata)                                                                       \
	X(DomainGetName)                                                                           \
	X(DomainGetState)                                                                          \
	X(DomainGetUUIDString)                                                                     \
	X(DomainGetXMLDesc)                                                                        \
	X(DomainHasManagedSaveImage)                                                               \
	X(DomainIsActive)                                                                          \
	X(DomainIsPersistent)                                                                      \
	X(DomainListAllCheckpoints)                                                                \
	X(DomainLookupByName)                                                                      \
	X(DomainLookupByUUIDString)                                                                \
	X(DomainMigrateGetMaxDowntime)                                                             \
	X(DomainMigrateToURI3)                                                                     \
	X(DomainSetAutostart)                                                                      \
	X(DomainSetMetadata)                                                                       \
	X(DomainShutdownFlags)                                                                     \
	X(DomainSnapshotNum)                                                                       \
	X(DomainUndefineFlags)                                                                     \
	X(EventRegisterDefaultImpl)                                                                \
	X(EventRunDefaultImpl)                                                                     \
	X(GetLastError)                                                                            \
	X(GetLastErrorCode)                                                                        \
	X(GetLastErrorMessage)                                                                     \
	X(SetErrorFunc)                                                                            \
	X(StoragePoolCreateXML)                                                                    \
	X(StoragePoolDestroy)                                                                      \
	X(StoragePoolFree)                                                                         \
	X(StoragePoolGetName)                                                                      \
	X(StoragePoolLookupByTargetPath)                                                           \
	X(StoragePoolRefresh)                                                                      \
	X(StorageVolCreateXML)                                                                     \
	X(StorageVolDelete)                                                                        \
	X(StorageVolFree)                                                                          \
	X(StorageVolGetInfo)                                                                       \
	X(StorageVolGetXMLDesc)                                                                    \
	X(StorageVolLookupByName)                                                                  \
	X(StorageVolLookupByPath)                                                                  \
	X(StorageVolUpload)                                                                        \
	X(StreamAbort)                                                                             \
	X(StreamFinish)                                                                            \
	X(StreamFree)                                                                              \
	X(StreamNew)                                                                               \
	X(StreamSend)                                                                              \
	X(TypedParamsAddString)                                                                    \
	X(TypedParamsFree)                                                                         \
	X(TypedParamsGetULLong)

struct kw_libvirt_functions {
#define X(name) __typeof__(vir##name) *name;
	KW_LIBVIRT_FUNCTIONS(X)
#undef X
};

extern struct kw_libvirt_functions vir;

/*
 * Loads libvirt once; for one thread. 0, or -ELIBACC with the loader's own text
 * in error. Until then no member of vir may be called.
 */
int kw_libvirt_load(char *error, size_t error_size);

#endif
