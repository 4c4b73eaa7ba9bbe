/**
 * Pushes: a type and an id, nothing of a record (`push.schema.json`). What is to be read is fetched after unlock.
 *
 * The same notice may come twice, or as a push and as the phone's own alarm: it rings once (`Once`).
 */

import type { components } from "./generated/service.js";
import type { Clock, Storage } from "./ports.js";

/** Codes come by SMS alone. */
export type PushType = Exclude<components["schemas"]["Alarm"]["type"], "consent-code" | "sign-in-code">;

/** What the app opens after unlock. `alarm`: the phone rings by itself for the same id; `plan`: set alarms anew. */
export type Target =
  | "inbox"
  | "requests"
  | "alarm"
  | "plan"
  | "reminders"
  | "prescriptions"
  | "unanswered"
  | "alerts";

/** What to do with one push. `refresh`: say nothing, fetch the inbox. */
export type ReadPush = { action: "show"; type: PushType; id: string } | { action: "refresh" };

export const LEADS_TO: Readonly<Record<PushType, Target>> = {
  "consent-request": "requests",
  "dependent-request": "requests",
  "dependent-news": "inbox",
  "family-linked": "inbox",
  "hand-over-near": "inbox",
  "consent-granted": "inbox",
  "consent-ended": "inbox",
  "consent-reported": "inbox",
  "consent-narrowed": "inbox",
  "consent-ending": "inbox",
  "consent-delegated": "inbox",
  "consent-held": "inbox",
  "link-made": "inbox",
  "link-opened": "inbox",
  "link-locked": "inbox",
  "share-code-tried": "inbox",
  "app-connected": "inbox",
  "app-used": "inbox",
  "record-read": "inbox",
  "device-added": "inbox",
  "device-removed": "inbox",
  "account-changed": "inbox",
  "activation": "inbox",
  "check-in": "inbox",
  "card-shown": "inbox",
  "records-added": "inbox",
  "records-of-new-facility": "inbox",
  "case-opened": "inbox",
  "case-update": "inbox",
  "consultation-update": "inbox",
  "reaction-severe": "inbox",
  "reaction-update": "inbox",
  "vaccination-registration": "inbox",
  "appointment-update": "inbox",
  "referral-update": "inbox",
  "statement-judged": "inbox",
  "certificate-changed": "inbox",
  "certificate-renewed": "inbox",
  "certificate-ending": "inbox",
  "record-awaited": "inbox",
  "result-released": "inbox",
  "death-reported": "inbox",
  "person-merged": "inbox",
  "person-separated": "inbox",
  "number-changed": "inbox",
  "emergency-card-opened": "inbox",
  "contact-named": "inbox",
  "emergency-access": "inbox",
  "emergency-read": "inbox",
  "emergency-signed": "inbox",
  "emergency-disputed": "inbox",
  "emergency-reviewed": "inbox",
  "emergency-access-relative": "inbox",
  "emergency-contact-told": "inbox",
  "rights-moved": "inbox",
  "erasure-asked": "inbox",
  "erasure-cancelled": "inbox",
  "data-breach": "inbox",
  "medicine-due": "alarm",
  "revisit-due": "reminders",
  "exam-due": "reminders",
  "vaccination-due": "reminders",
  "measurement-due": "alarm",
  "nutrition-tip": "reminders",
  "card-expiring": "reminders",
  "custom-reminder": "alarm",
  "reminder-question": "reminders",
  "prescription-lapsing": "prescriptions",
  "dependent-reminder": "alarm",
  "dependent-unanswered": "unanswered",
  "refill-due": "prescriptions",
  "medicine-changed": "plan",
  "news-waiting": "inbox",
  "vital-alert": "alerts",
  "vital-alert-critical": "alerts",
  "dependent-alert": "alerts",
  "dependent-alert-critical": "alerts",
  "vital-alert-ended": "alerts",
};

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const KEPT_MS = 30 * 24 * 3_600_000;

/** An unknown type, a member too many or another version is of a newer service: never guessed at. */
export function readPush(data: unknown): ReadPush {
  if (typeof data !== "object" || data === null) return { action: "refresh" };
  const { v, type, id, ...others } = data as Record<string, unknown>;
  const isKnown = v === "1" && isType(type) && typeof id === "string" && UUID.test(id);
  return isKnown && Object.keys(others).length === 0 ? { action: "show", type, id } : { action: "refresh" };
}

const isType = (type: unknown): type is PushType => typeof type === "string" && Object.hasOwn(LEADS_TO, type);

/** Ids of what rang already, also across restarts. */
export class Once {
  constructor(
    private readonly storage: Storage,
    private readonly clock: Clock,
  ) {}

  /** True for the first of push and alarm that asks. */
  async mayRing(id: string): Promise<boolean> {
    const name = `rang/${id}`;
    return await this.storage.locked(name, async () => {
      if ((await this.storage.get(name)) !== null) return false;
      await this.storage.set(name, String(this.clock.now()));
      return true;
    });
  }

  /** Forgets what is a month old; call it once a day. */
  async tidy(): Promise<void> {
    for (const name of await this.storage.names("rang/")) {
      const at = Number(await this.storage.get(name));
      if (at < this.clock.now() - KEPT_MS) await this.storage.remove(name);
    }
  }
}
