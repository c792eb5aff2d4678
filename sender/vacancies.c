#include "sender/vacancies.h"

#include <stdlib.h>

enum err vacancies_new(size_t room, struct vacancies *ret_vacancies)
{
	struct vacancies vacancies = { .until_us = calloc(room, sizeof(*vacancies.until_us)), .room = room };
	if (vacancies.until_us == NULL)
		return ERR_MEMORY;
	*ret_vacancies = vacancies;
	return ERR_OK;
}

void vacancies_done(struct vacancies *vacancies)
{
	free(vacancies->until_us);
	*vacancies = (struct vacancies){ 0 };
}

void vacancies_add(struct vacancies *vacancies, int64_t until_us)
{
	if (vacancies->count < vacancies->room)
		vacancies->until_us[(vacancies->first + vacancies->count++) % vacancies->room] = until_us;
}

void vacancies_end(struct vacancies *vacancies, int64_t now_us)
{
	while (vacancies->count > 0 && vacancies->until_us[vacancies->first] <= now_us) {
		vacancies->first = (vacancies->first + 1) % vacancies->room;
		vacancies->count--;
	}
}
