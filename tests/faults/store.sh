#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The store fails while calls end: the disk is full, the database locked, the file damaged. Calls go on and end, one line
# of the log says what is wrong, and every call has its record in the end.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/net.sh
. tests/relay/lib.sh
. tests/controller/lib.sh
. tests/faults/lib.sh

net_need "segued without its store"
net_private tests/faults/store.sh
DISK=$NET_DIR/disk
CONTROLLER_STORE=$DISK/segue.db

# call_without_store NAME PATTERN CDRS: a call that begins and ends meanwhile; what the log says of it.
call_without_store() {
	ok_here "$1: a call" controller_call
	faults_media "$1"
	ok_here "$1: has media" faults_heard "$1"
	ok_here "$1: and ends" faults_over
	ok "$1: the log says so, once" faults_once "$2"
}

fill_disk() {
	dd if=/dev/zero of="$DISK/ballast" bs=4k 2>/dev/null
	# Something to write, until nothing can be.
	for name in carol dave erin frank grace heidi ivan judy; do
		controller_subscriber $name
	done
	net_until 10 faults_says 'cannot be written'
}

lock_database() {
	mkfifo "$NET_DIR/lock"
	sqlite3 "$CONTROLLER_STORE" <"$NET_DIR/lock" >"$NET_DIR/locked" 2>&1 &
	locker=$!
	exec 9>"$NET_DIR/lock"
	echo "BEGIN EXCLUSIVE; SELECT 'locked';" >&9
	net_until 10 grep -q locked "$NET_DIR/locked"
}

unlock_database() {
	echo 'ROLLBACK;' >&9
	exec 9>&-
	wait $locker
}

# Everything into the one file, and then nonsense over the pages behind its header: all tables but that of records.
damage_database() {
	sqlite3 "$CONTROLLER_STORE" 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
	tr '\0' Z </dev/zero | dd of="$CONTROLLER_STORE" bs=4096 seek=1 count=4 conv=notrunc iflag=fullblock 2>/dev/null
}

mkdir "$DISK"
mount -t tmpfs -o size=800k tmpfs "$DISK"
faults_world
faults_mark
ok "the disk is full" fill_disk
ok_here "a call that was there ends" faults_over
call_without_store full 'store .* cannot be written: .*full'
is "no record was written" "$(faults_cdrs)" 0
faults_mark
rm "$DISK/ballast"
ok "there is room again: it says so" net_until 10 faults_says 'is written again; 0 writes were lost'
ok "both records are there" net_until 10 faults_cdrs_are 2

faults_mark
ok_here "the database is locked by another" lock_database
call_without_store locked 'store .* cannot be written: .*locked'
unlock_database
ok "it is free again: it says so" net_until 10 faults_says 'is written again; 0 writes were lost'
ok "the record is there" net_until 10 faults_cdrs_are 3

faults_mark
ok_here "a call" controller_call
damage_database
ok_here "ends after the file was damaged" faults_over
ok "the log says so, once" faults_once 'store .* damaged.*; 3 call records taken over, 0 could not be read'
ok "its record is in the new file, behind those" net_until 10 faults_cdrs_are 4
ok "what was damaged was set aside" sh -c "ls $DISK/segue.db.damaged-*"
ok "phones register" controller_register alice
ok_here "another call" controller_call
ok_here "ends, too" faults_over
ok "and has its record; those of before were taken over" net_until 10 faults_cdrs_are 5
done_testing
