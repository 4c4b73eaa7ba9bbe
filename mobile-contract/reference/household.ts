/** Everybody for whom the person acts; what is kept of somebody who is no longer among them goes. */

import type { Book } from "./book.js";
import type { components } from "./generated/service.js";
import { type Api, taken } from "./transport.js";

export type Member = components["schemas"]["HouseholdMember"];

export async function household(api: Api): Promise<Member[]> {
  return (await taken(api.GET("/v1/me/household"))).items;
}

/** Drops the copies of books whose link has ended; `kept` are the books of others on this phone. */
export async function dropEnded(members: readonly Member[], kept: readonly Book[]): Promise<void> {
  const persons = new Set(members.map((member) => member.person_id));
  for (const book of kept) if (!persons.has(book.person)) await book.drop();
}
