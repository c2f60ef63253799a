// SPDX-License-Identifier: BSD-2-Clause
#include "sip/resolve_dns.h"

/* Splitmix64 (Steele, Lea, Flood). Nothing secret hangs on it: it only spreads load. */
static uint64_t dice(uint64_t *random)
{
	uint64_t z = *random += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static void swap(struct dns_record *a, struct dns_record *b)
{
	struct dns_record was = *a;

	*a = *b;
	*b = was;
}

/* Lowest priority first; of those, records without weight first, as the choice below wants them. */
static bool is_before(const struct dns_record *a, const struct dns_record *b)
{
	if (a->order != b->order)
		return a->order < b->order;
	return !a->preference && b->preference;
}

static void sort(struct dns_record *record, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		for (size_t j = i; j && is_before(&record[j], &record[j - 1]); j--)
			swap(&record[j], &record[j - 1]);
	}
}

/* Records of the first one's priority. */
static size_t alike(const struct dns_record *record, size_t count)
{
	size_t n = 1;

	while (n < count && record[n].order == record[0].order)
		n++;
	return n;
}

/* One of them, its chance in proportion to its weight. */
static size_t choose(const struct dns_record *record, size_t count, uint64_t *random)
{
	uint64_t sum = 0, at;
	size_t i = 0;

	for (size_t k = 0; k < count; k++)
		sum += record[k].preference;
	at = dice(random) % (sum + 1);
	for (sum = record[0].preference; sum < at; sum += record[i].preference)
		i++;
	return i;
}

void srv_order(struct dns_record *record, size_t count, uint64_t *random)
{
	sort(record, count);
	for (size_t i = 0; i < count; i++) {
		size_t chosen = i + choose(record + i, alike(record + i, count - i), random);

		/* Move it here, the others keep their order (no weight first). */
		for (; chosen > i; chosen--)
			swap(&record[chosen], &record[chosen - 1]);
	}
}
