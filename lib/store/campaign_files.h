/* The images and attachments of a campaign's letter. */
#ifndef STORE_CAMPAIGN_FILES_H
#define STORE_CAMPAIGN_FILES_H

#include "mail/attachment.h"
#include "store/db.h"

struct campaign_files {
	struct db_rows *rows; /* what the items borrow from */
	struct attachment *items;
	size_t count;
};

/* In their order. Release with campaign_files_done(), also after a failure. */
enum err campaign_files_read(struct db *db, uint64_t campaign_id, struct campaign_files *ret_files,
			     struct buf *why) MUST_USE;
void campaign_files_done(struct campaign_files *files); /* accepts a zeroed one */

/* Puts these in place of those that the campaign has; within the caller's transaction. */
enum err campaign_files_replace(struct db *db, struct view campaign, const struct attachment *files, size_t count,
				struct buf *why) MUST_USE;

#endif
