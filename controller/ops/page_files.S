/* SPDX-License-Identifier: BSD-2-Clause */
/* ops/page_files.h: C17 has no #embed, every assembler has .incbin. Paths are those of the tree. */
	.macro file name, path
	.global \name
	.global \name\()_end
\name:
	.incbin "\path"
\name\()_end:
	.endm

	.section .rodata
	file page_index, "controller/ops/page/index.html"
	file page_style, "controller/ops/page/page.css"
	file page_script, "controller/ops/page/page.js"
	file page_picture, "controller/ops/page/picture.js"

	.section .note.GNU-stack, "", %progbits
