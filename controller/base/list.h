/* SPDX-License-Identifier: BSD-2-Clause */
/* Doubly linked, the node inside the object. A node that is in no list is zero or list_init()ed. */
#ifndef SEGUE_LIST_H
#define SEGUE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *prev, *next;
};

#define container_of(pointer, type, member)                                                        \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

static inline void list_init(struct list *list)
{
	list->prev = list->next = list;
}

static inline bool list_empty(const struct list *list)
{
	return !list->next || list->next == list;
}

static inline void list_append(struct list *list, struct list *node)
{
	node->prev = list->prev;
	node->next = list;
	list->prev->next = node;
	list->prev = node;
}

/* Twice does no harm. */
static inline void list_remove(struct list *node)
{
	if (!node->next)
		return;
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

/* `node` may be removed (and freed) inside the loop; `after` is a second cursor. */
#define list_for_each(node, after, head)                                                           \
	for (struct list *node = (head)->next, *after = node->next; node != (head);                \
	     node = after, after = node->next)

#endif
