/* SPDX-License-Identifier: BSD-2-Clause */
/* The files of the live page, in the program: controller/ops/page/, by page_files.S. */
#ifndef SEGUE_OPS_PAGE_FILES_H
#define SEGUE_OPS_PAGE_FILES_H

extern const char page_index[], page_index_end[];
extern const char page_style[], page_style_end[];
extern const char page_script[], page_script_end[];
extern const char page_picture[], page_picture_end[];

#endif
