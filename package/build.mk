# SPDX-License-Identifier: BSD-2-Clause
# make install and make deb: where everything goes, and what an operator's machine needs beside the programs.
BINDIR ?= $(PREFIX)/bin
SBINDIR ?= $(PREFIX)/sbin
SYSCONFDIR ?= /etc
UNITDIR ?= $(LIBDIR)/systemd/system
SYSUSERSDIR ?= $(LIBDIR)/sysusers.d
TMPFILESDIR ?= $(LIBDIR)/tmpfiles.d
DOCDIR ?= $(PREFIX)/share/doc/segue
SHAREDIR ?= $(PREFIX)/share/segue
COMPLETIONDIR ?= $(PREFIX)/share/bash-completion/completions
MAN_PAGES := $(sort $(wildcard docs/man/*.[1-8]))
COMMANDS := $(filter-out $(B)/segued,$(PROGRAMS))
UNIT := $(B)/package/segued.service
DEFAULT_CONFIG := $(B)/package/segued.yaml

# The unit names our programs by their paths, which are only known here.
$(UNIT): package/segued.service.in FORCE
	$(Q)mkdir -p $(@D)
	$(Q)sed 's|@BINDIR@|$(BINDIR)|g; s|@SBINDIR@|$(SBINDIR)|g' $< >$@

# What starts on any machine: the documented example, on the loopback.
$(DEFAULT_CONFIG): docs/segued.yaml package/default-config
	$(call say,GEN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)./package/default-config <$< >$@.new && mv $@.new $@

install: all install-programs install-docs install-service
.PHONY: install

install-programs: all
	$(call say,INSTALL,$(DESTDIR)$(PREFIX))
	$(Q)install -d $(addprefix $(DESTDIR),$(BINDIR) $(SBINDIR) $(OBJECT_DIR) $(LIBDIR) $(PREFIX)/include/segue)
	$(Q)install -m 755 $(COMMANDS) $(DESTDIR)$(BINDIR)
	$(Q)install -m 755 $(B)/segued $(DESTDIR)$(SBINDIR)
	$(Q)install -m 644 $(BPF_OBJECTS) $(DESTDIR)$(OBJECT_DIR)
	$(Q)install -m 644 $(LIBRARIES) $(DESTDIR)$(LIBDIR)
	$(Q)install -m 644 include/segue/abi.h include/segue/relay.h include/segue/window.h $(DESTDIR)$(PREFIX)/include/segue
.PHONY: install-programs

install-docs:
	$(call say,INSTALL,$(DESTDIR)$(MANDIR))
	$(Q)$(foreach page,$(MAN_PAGES),install -D -m 644 $(page) \
		$(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $(page)))/$(notdir $(page)) &&) true
	$(Q)install -d $(DESTDIR)$(DOCDIR)/docs
	$(Q)install -m 644 README.md LICENSE LICENSES.md $(DESTDIR)$(DOCDIR)
	$(Q)install -m 644 docs/*.md docs/*.svg docs/*.png docs/segued.yaml $(DESTDIR)$(DOCDIR)/docs
	$(Q)install -D -m 644 package/grafana-dashboard.json $(DESTDIR)$(SHAREDIR)/grafana-dashboard.json
	$(Q)install -m 644 package/prometheus-alerts.yaml $(DESTDIR)$(SHAREDIR)
	$(Q)install -D -m 644 tools/segue/completion.bash $(DESTDIR)$(COMPLETIONDIR)/segue
	$(Q)install -m 644 tools/segue-ua/completion.bash $(DESTDIR)$(COMPLETIONDIR)/segue-ua
	$(Q)install -m 644 controller/completion.bash $(DESTDIR)$(COMPLETIONDIR)/segued
.PHONY: install-docs

# A configuration that is there already is the operator's.
install-service: $(UNIT) $(DEFAULT_CONFIG)
	$(call say,INSTALL,$(DESTDIR)$(UNITDIR)/segued.service)
	$(Q)install -D -m 644 $(UNIT) $(DESTDIR)$(UNITDIR)/segued.service
	$(Q)install -D -m 644 package/sysusers.conf $(DESTDIR)$(SYSUSERSDIR)/segue.conf
	$(Q)install -D -m 644 package/tmpfiles.conf $(DESTDIR)$(TMPFILESDIR)/segue.conf
	$(Q)test -e $(DESTDIR)$(SYSCONFDIR)/segue/segued.yaml || \
		install -D -m 644 $(DEFAULT_CONFIG) $(DESTDIR)$(SYSCONFDIR)/segue/segued.yaml
.PHONY: install-service

deb: setup-deb
	$(Q)./package/deb $(SEGUE_VERSION)
.PHONY: deb

# Installs the package in a Debian of its own and takes it off again (minutes, and the network).
check-package: setup-package deb
	$(Q)$(MAKE) --no-print-directory $(JOBS) all
	$(Q)TEST_TIMEOUT=1800 ./tests/run tests/package/clean.sh
.PHONY: check-package

FORCE:
.PHONY: FORCE
