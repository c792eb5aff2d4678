/* What is asked of an element of libxml2's tree. */
#ifndef MAIL_HTML_NODE_H
#define MAIL_HTML_NODE_H

#include <libxml/tree.h>

#include "base/buf.h"

bool html_node_is(const xmlNode *node, const char *name);

/* The value of an attribute, its entities resolved; borrowed from the document. data NULL: there is none. Values with several children do
 * not occur in HTML that was parsed without a DTD. */
struct view html_node_attribute(const xmlNode *node, const char *name);

/* A link that is run or brings its own document: javascript:, vbscript: and data:, as browsers read them, past controls and blanks. */
bool html_node_is_program(struct view url);

#endif
